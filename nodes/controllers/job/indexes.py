"""Sets of completion indexes as intervals, in the spelling of a Job's status: `0-2,5,7`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Interval = tuple[int, int]


class Indexes:
    """An immutable, ordered set of indexes. Costs what its intervals cost, not its members."""

    __slots__ = ("intervals",)

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        merged: list[Interval] = []
        for low, high in sorted(intervals):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        self.intervals = tuple(merged)

    @classmethod
    def parse(cls, text: str, completions: int) -> Indexes:
        """Read a status or a rule; what cannot be read and what is out of range is left out."""
        return cls(_intervals(text, completions))

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self.intervals)

    def __contains__(self, index: int) -> bool:
        return any(low <= index <= high for low, high in self.intervals)

    def __or__(self, other: Indexes) -> Indexes:
        return Indexes((*self.intervals, *other.intervals))

    def with_all(self, indexes: Iterable[int]) -> Indexes:
        return Indexes((*self.intervals, *((one, one) for one in indexes)))

    def common(self, other: Indexes) -> int:
        """Return how many indexes are in both."""
        return sum(
            max(min(high, other_high) - max(low, other_low) + 1, 0)
            for low, high in self.intervals
            for other_low, other_high in other.intervals
        )

    def missing(self, completions: int) -> Iterator[int]:
        """Yield the indexes below `completions` that are not in the set, in order."""
        start = 0
        for low, high in (*self.intervals, (completions, completions)):
            yield from range(start, min(low, completions))
            start = high + 1

    def __str__(self) -> str:
        return ",".join(_written(low, high) for low, high in self.intervals)


def _written(low: int, high: int) -> str:
    if low == high:
        return str(low)
    # Two neighbours are listed, three are a range.
    return f"{low},{high}" if high == low + 1 else f"{low}-{high}"


def _intervals(text: str, completions: int) -> Iterator[Interval]:
    for part in text.split(",") if text else ():
        first, dash, last = part.partition("-")
        try:
            low, high = int(first), int(last) if dash else int(first)
        except ValueError:
            continue
        if low < completions:
            yield low, min(high, completions - 1)
