"""The audit log: which requests are written down, how much of them, and where.

`policy` decides, `log` and `memory` keep. What an event says of a request is put together in
`endpoints.auditing`; here an event is a dict, or the bytes that it is written as.
"""
