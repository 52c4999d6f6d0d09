"""Requests that name several devices which would do, the best first."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.meta import Obj

# So many alternatives a request may have.
_MOST = 8


def alternatives(claim: Obj) -> Iterator[list[str]]:
    """Yield the alternatives of each request that has some, the best first."""
    for request in claim["spec"]["devices"].get("requests") or ():
        if wishes := request.get("firstAvailable"):
            yield [f"{request['name']}/{wish['name']}" for wish in wishes]


def preference(claim: Obj, allocation: Obj) -> int:
    """Return how much a claim likes what it would have: 8 for each request that has its best."""
    got = {one["request"] for one in allocation["devices"]["results"]}
    return sum(
        _MOST - at
        for wishes in alternatives(claim)
        for at, wish in enumerate(wishes)
        if wish in got
    )
