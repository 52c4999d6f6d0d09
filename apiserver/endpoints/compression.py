"""Answers are compressed for clients that take gzip, from the size on at which Kubernetes does it.

Follows k8s.io/apiserver endpoints/handlers/responsewriters: the fastest level, and never streams.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping

# Below it, a network carries more than the processor would save.
SMALLEST = 128 * 1024
HEADERS = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


def wanted(body: bytes, headers: Mapping[str, str]) -> bool:
    """Tell whether an answer is large enough, and the client takes it; names are lower-case."""
    if len(body) < SMALLEST:
        return False
    accepted = headers.get("accept-encoding", "").split(",")
    return any(one.strip() == "gzip" for one in accepted)


async def compressed(body: bytes) -> bytes:
    """Return a body compressed. A thread does it: other requests do not wait."""
    return await asyncio.to_thread(gzip.compress, body, 1, mtime=0)
