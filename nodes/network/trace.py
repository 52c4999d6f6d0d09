"""What became of the last connections: the hops of each, for the packet trace of the UI."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

# A cluster keeps its last 512: about 0.5 MB at the most.
KEPT = 512


class Hop(NamedTuple):
    """A place that the connection went through, and what happened to it there."""

    where: str
    what: str


@dataclass(slots=True)
class Trace:
    """One connection. outcome: connected, refused, timeout, unreachable, or "" while it goes on."""

    number: int
    time: float
    source: str
    target: str
    protocol: str
    hops: list[Hop] = field(default_factory=list)
    outcome: str = ""

    def hop(self, where: str, what: str) -> None:
        self.hops.append(Hop(where, what))


class TraceRing:
    """The last connections of a cluster, newest last."""

    __slots__ = ("_count", "_ring")

    def __init__(self) -> None:
        self._ring: deque[Trace] = deque(maxlen=KEPT)
        self._count = 0

    def begin(self, time: float, source: str, target: str, protocol: str) -> Trace:
        """Start the trace of one connection."""
        self._count += 1
        trace = Trace(self._count, time, source, target, protocol)
        self._ring.append(trace)
        return trace

    def since(self, number: int = 0) -> Iterator[Trace]:
        """Yield the traces after `number`, oldest first."""
        fresh = min(len(self._ring), self._count - number)
        yield from islice(self._ring, len(self._ring) - fresh, None)
