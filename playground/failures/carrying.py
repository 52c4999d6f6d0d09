"""What a copy of a cluster takes along of what was broken in the other: the moments of its log.

Nothing is broken in a copy. What was, at the revision where it begins, is mended with its first
write, and its log says so: controllers and kubelets find things whole again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from typing import Any

from apimachinery.errors import BadRequest
from playground.failures.journal import MOST_MOMENTS, Moment

_LONGEST = 512


def mended(moments: Iterable[Moment], revision: int) -> list[Moment]:
    """Return the ends of what was broken at a revision, at the first one after it."""
    broken: dict[str, Moment] = {}
    for one in moments:
        if one.revision > revision:
            break
        if one.state == "ended":
            broken.pop(one.failure, None)
        elif one.lasts:
            broken[one.failure] = one
    return [replace(one, revision=revision + 1, state="ended") for one in broken.values()]


def recorded(moments: Iterable[Moment], upto: int) -> list[dict[str, Any]]:
    """Return the moments until a revision, as a recording has them."""
    return [asdict(one) for one in moments if one.revision <= upto]


def read(given: Any, newest: int) -> list[Moment]:
    """Return the moments of a recording of which nothing is believed. Raises BadRequest."""
    if not isinstance(given, list) or len(given) > MOST_MOMENTS:
        raise BadRequest(f"failures must be a list of at most {MOST_MOMENTS}")
    found = [_read(one, newest) for one in given]
    if found != sorted(found, key=lambda one: one.revision):
        raise BadRequest("failures are out of order")
    return found


def _read(given: Any, newest: int) -> Moment:
    if not isinstance(given, dict) or set(given) != {one.name for one in fields(Moment)}:
        raise BadRequest("a failure has other fields than a moment")
    revision, state, lasts = given["revision"], given["state"], given["lasts"]
    if isinstance(revision, bool) or not isinstance(revision, int) or not 0 <= revision <= newest:
        raise BadRequest("a failure is of no revision of the recording")
    if state not in ("began", "ended") or not isinstance(lasts, bool):
        raise BadRequest("a failure has neither begun nor ended")
    texts = [given[name] for name in ("time", "what", "kind", "failure")]
    if not all(isinstance(one, str) and len(one) <= _LONGEST for one in texts):
        raise BadRequest(f"a failure is told in texts of up to {_LONGEST} characters")
    return Moment(**given)
