"""Kubernetes semantics as pure functions: no framework, no network, no event loop, no I/O.

Everything here takes plain values and returns plain values, so that the API server, the
workers and the tests mean the same thing by the same words.
"""
