"""How many seats a list takes, as k8s.io/apiserver pkg/util/flowcontrol/request estimates it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

BYTES_A_SEAT = 100_000
# More is not held at once: what a cache has is sent piece by piece.
MOST_BYTES = 1_000_000
# Objects of a kind are much of a size: some of them tell the average.
_SAMPLE = 8


class Stored(Protocol):
    @property
    def raw(self) -> bytes: ...


def list_width(entries: Sequence[Stored], limit: int, widest: int) -> int:
    """Return the seats for a list of these objects; limit: of the page, 0 for none."""
    count = len(entries)
    if not count:
        return 1
    loaded = min(limit, count) if limit else count
    sample = entries[:: max(1, count // _SAMPLE)]
    average = sum(len(entry.raw) for entry in sample) / len(sample)
    size = min(loaded * average, MOST_BYTES)
    return max(1, min(math.ceil(size / BYTES_A_SEAT), widest))
