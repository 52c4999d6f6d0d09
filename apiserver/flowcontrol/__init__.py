"""Which requests are served at once, which wait, and which are sent away.

`filter` is what the chain of a request asks; everything else here serves it. Nothing in here knows
of HTTP: a request comes as a `Digest`, and goes on with a `Seat`.
"""
