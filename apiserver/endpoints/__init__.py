"""The API as clients see it: paths, verbs, media types, and the way of a request through it all.

`api.ClusterApi` is one cluster's API; `chain.serve` is the way of every request; `asgi` and
`local` are the two doors, for bytes over HTTP and for dicts in the same process.
"""
