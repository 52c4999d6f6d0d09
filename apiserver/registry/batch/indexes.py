"""Sets of pod indexes as Jobs write them: `1,3-5,7`, growing and without overlaps."""

from __future__ import annotations

import re

from apimachinery.validation.field import show


class IndexesError(ValueError):
    """A text that is no set of indexes; it says why."""


def total(text: str, completions: int) -> int:
    """Return how many indexes a text names. Raises IndexesError."""
    found, last = 0, None
    for low, high in intervals(text, completions):
        if last is not None and last >= low:
            raise IndexesError(f"non-increasing order, previous: {last}, current: {low}")
        found += high - low + 1
        last = high
    return found


def intervals(text: str, completions: int) -> list[tuple[int, int]]:
    """Return the intervals of a text. Raises IndexesError."""
    return [_interval(part, completions) for part in text.split(",")] if text else []


def overlap(completed: str, failed: str, completions: int) -> int | None:
    """Return the first index that is in both sets; what cannot be read is left out."""
    both = [
        max(one[0], other[0])
        for one in _readable(completed, completions)
        for other in _readable(failed, completions)
        if one[0] <= other[1] and other[0] <= one[1]
    ]
    return min(both, default=None)


def _readable(text: str, completions: int) -> list[tuple[int, int]]:
    found = []
    for part in text.split(",") if text else ():
        try:
            found.append(_interval(part, completions))
        except IndexesError:
            continue
    return found


def _interval(text: str, completions: int) -> tuple[int, int]:
    limits = text.split("-")
    if len(limits) > 2:
        raise IndexesError(
            f"the fragment {show(text)} violates the requirement that an index interval "
            "can have at most two parts separated by '-'"
        )
    low = _index(limits[0], completions)
    if len(limits) == 1:
        return low, low
    high = _index(limits[1], completions)
    if low >= high:
        raise IndexesError(f"non-increasing order, previous: {low}, current: {high}")
    return low, high


def _index(text: str, completions: int) -> int:
    if not re.fullmatch("[+-]?[0-9]+", text):
        raise IndexesError(f"cannot convert string to integer for index: {show(text)}")
    if int(text) >= completions:
        raise IndexesError(f"too large index: {show(text)}")
    return int(text)
