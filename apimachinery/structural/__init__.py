"""Structural schemas of custom kinds: reading, pruning, defaulting, validating and merging by them.

`schema` compiles what a CustomResourceDefinition says, once; everything else walks values by the
result. Nothing here knows of definitions, versions or storage.
"""
