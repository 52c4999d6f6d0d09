"""The simulated network of one cluster: addresses, names, Services and connections, in memory.

Nothing here opens a socket. Objects of the API come in through plain callbacks; this package
imports no API. Every buffer and table is bounded, since its users are not trusted.
"""
