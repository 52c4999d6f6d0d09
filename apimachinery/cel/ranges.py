"""Sizes and costs that are known by their bounds. They saturate at `UNBOUNDED`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

UNBOUNDED = 2**64 - 1


def add(a: int, b: int) -> int:
    return min(UNBOUNDED, a + b)


def times(a: int, b: int) -> int:
    return min(UNBOUNDED, a * b)


def part(count: int, factor: float) -> int:
    """Return a fraction of a number, rounded up, as floating point has it."""
    if count >= UNBOUNDED:
        return UNBOUNDED
    whole = count * factor
    up = int(whole)
    return min(UNBOUNDED, up if up == whole else up + 1)


class Size(NamedTuple):
    """How large a value is, at least and at most."""

    least: int
    most: int

    def plus(self, other: Size) -> Size:
        return Size(add(self.least, other.least), add(self.most, other.most))

    def times(self, other: Size) -> Size:
        return Size(times(self.least, other.least), times(self.most, other.most))

    def union(self, other: Size) -> Size:
        return Size(min(self.least, other.least), max(self.most, other.most))


def total(*costs: int) -> int:
    return min(UNBOUNDED, sum(costs))


def union(sizes: Sequence[Size]) -> Size:
    """Return a size that covers all of some; nothing has none."""
    if not sizes:
        return Size(0, 0)
    return Size(min(each.least for each in sizes), max(each.most for each in sizes))


UNKNOWN, ONE = Size(0, UNBOUNDED), Size(1, 1)
Entries = tuple[Size, Size]
Paths = tuple[str, ...]


class Estimated(NamedTuple):
    """What a part costs at most; the size of its value, and of the entries in it, where known."""

    cost: int
    size: Size | None = None
    entries: Entries | None = None
    path: Paths = ()

    @property
    def sized(self) -> Size:
        return self.size or UNKNOWN
