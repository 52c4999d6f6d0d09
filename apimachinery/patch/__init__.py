"""The patch formats of the API but apply: JSON Patch, JSON Merge Patch, strategic merge patch.

Each module has one function `apply(doc, patch, ...)` that returns the changed document. Nothing
given is ever changed; parts that the patch leaves alone are shared with the result.
"""
