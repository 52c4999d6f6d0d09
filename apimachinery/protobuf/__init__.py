"""`application/vnd.kubernetes.protobuf` to and from JSON-shaped objects, driven by the type table.

kubectl's typed commands send their bodies so, and do not fall back to JSON. `decode_request`
never fails in any other way than with a BadRequest.
"""

from apimachinery.protobuf.codec import decode_request, encode

__all__ = ["decode_request", "encode"]
