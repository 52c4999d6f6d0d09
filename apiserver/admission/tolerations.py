"""Tolerations compared: which one says all that another says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Toleration = dict[str, Any]
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
    merged: list[Toleration] = []
    for at, each in enumerate(every):
        if any(covers(kept, each) for kept in merged):
            continue
        if any(covers(later, each) and not same(later, each) for later in every[at + 1 :]):
            continue
        merged.append(each)
    return merged
