"""One limit of a LimitRange, held against requests and limits; answers are Kubernetes' words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from apimachinery.quantity import Quantity, parse

Resources = Mapping[str, Quantity]


def violations(
    limit: Mapping[str, Any], requests: Resources, limits: Resources | None
) -> Iterator[str]:
    """Yield what is wrong. `limits` is None for what has requests alone."""
    kind = limit.get("type", "")
    for name, given in sorted((limit.get("min") or {}).items()):
        yield from _too_little(kind, name, parse(given), requests.get(name), limits)
    for name, given in sorted((limit.get("max") or {}).items()):
        yield from _too_much(kind, name, parse(given), requests.get(name), limits)
    for name, given in sorted((limit.get("maxLimitRequestRatio") or {}).items()):
        request, bound = requests.get(name), (limits or {}).get(name)
        yield from _too_stretched(kind, name, parse(given), request, bound)


def _too_little(
    kind: str, name: str, least: Quantity, request: Quantity | None, limits: Resources | None
) -> Iterator[str]:
    words = f"minimum {name} usage per {kind} is {least}"
    limit = (limits or {}).get(name)
    if request is None:
        yield f"{words}.  No request is specified"
    elif request < least:
        yield f"{words}, but request is {request}"
    elif limit is not None and limit < least:
        yield f"{words}, but limit is {limit}"


def _too_much(
    kind: str, name: str, most: Quantity, request: Quantity | None, limits: Resources | None
) -> Iterator[str]:
    words = f"maximum {name} usage per {kind} is {most}"
    if limits is not None:
        limit = limits.get(name)
        if limit is None:
            yield f"{words}.  No limit is specified"
            return
        if limit > most:
            yield f"{words}, but limit is {limit}"
            return
    if request is not None and request > most:
        yield f"{words}, but request is {request}"


def _too_stretched(
    kind: str, name: str, most: Quantity, request: Quantity | None, limit: Quantity | None
) -> Iterator[str]:
    words = f"{name} max limit to request ratio per {kind} is {most}"
    if not request:
        yield f"{words}, but no request is specified or request is 0"
    elif not limit:
        yield f"{words}, but no limit is specified or limit is 0"
    elif limit.as_float() / request.as_float() > most.as_float():
        yield f"{words}, but provided ratio is {limit.as_float() / request.as_float():f}"
