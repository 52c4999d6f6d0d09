"""The scheduler: a place for every pod, and a record of why.

`loop` takes pods from `queue`, asks the plugins of `profile` about each node of `cache`, and
binds. Plugins see `framework` alone. What was decided, and on what grounds, stands in
`decisions` for whoever asks.
"""
