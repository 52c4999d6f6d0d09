"""The kinds that the API serves, and the one generic way in which they are stored.

Generic code stands in this package once; a kind supplies a `Resource` with a `Strategy`, and
has one line in `catalog.RESOURCES`.
"""
