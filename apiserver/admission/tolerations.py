"""Tolerations compared: which one says all that another says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

Toleration = dict[str, Any]
_Said = tuple[str, str, str | None]
_FIELDS = ("key", "operator", "value", "effect", "tolerationSeconds")


def same(one: Toleration, other: Toleration) -> bool:
    """Tell whether two tolerations are equal; an empty field is one that is not there."""
    return all((one.get(field) or None) == (other.get(field) or None) for field in _FIELDS)


def covers(wide: Toleration, narrow: Toleration) -> bool:
    """Tell whether whatever `narrow` tolerates `wide` tolerates as well, and as long."""
    if same(wide, narrow):
        return True
    operator = wide.get("operator") or "Equal"
    if wide.get("key") != narrow.get("key") and (wide.get("key") or operator != "Exists"):
        return False
    if wide.get("effect") not in {narrow.get("effect"), None, ""}:
        return False
    longest = wide.get("tolerationSeconds")
    if wide.get("effect") == "NoExecute" and longest is not None:
        seconds = narrow.get("tolerationSeconds")
        if seconds is None or seconds > longest:
            return False
    if operator == "Exists":
        return True
    values = [each.get("value") or "" for each in (wide, narrow)]
    return operator == narrow.get("operator") == "Equal" and values[0] == values[1]


def merge(first: Sequence[Toleration], second: Sequence[Toleration]) -> list[Toleration]:
    """Return both, without those that another one covers; of equals the first is kept."""
    every = [*first, *second]
    places: dict[_Said, list[int]] = {}
    for at, each in enumerate(every):
        places.setdefault(_said(each), []).append(at)
    merged: dict[int, Toleration] = {}
    for at, each in enumerate(every):
        wider = [places[said] for said in _wider(each) if said in places]
        kept = (merged[place] for group in wider for place in group if place in merged)
        if any(covers(one, each) for one in kept):
            continue
        later = (every[place] for group in wider for place in group if place > at)
        if any(covers(one, each) and not same(one, each) for one in later):
            continue
        merged[at] = each
    return list(merged.values())


def _said(toleration: Toleration) -> _Said:
    """Return what a toleration is found by; one for every value has None for its value."""
    key, effect, value = (toleration.get(field) or "" for field in ("key", "effect", "value"))
    return key, effect, None if toleration.get("operator") == "Exists" else value


def _wider(toleration: Toleration) -> Iterator[_Said]:
    """Return by what those are found that may cover it: few of all there are."""
    key, effect, value = (toleration.get(field) or "" for field in ("key", "effect", "value"))
    return product({key, ""}, {effect, ""}, (value, None))
