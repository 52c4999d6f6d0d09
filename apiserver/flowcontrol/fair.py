"""Fair turns: of those who wait, the one is next who has had the least for its weight.

Start-time fair queueing. Each contender has a start tag: how much service it has had, over its
weight. Who comes back after a while begins at what the others have reached by now, so that
nothing is saved up by waiting; who has been served moves on by what that cost. It is used three
times: between clusters, between the priority levels of one, between the queues of a level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar


class Contender(Protocol):
    """Something that takes turns."""

    start: float

    @property
    def weight(self) -> float: ...


C = TypeVar("C", bound=Contender)


class FairTurns(Generic[C]):
    """Those who wait for a turn. A turn costs a look at each of them, and there are few."""

    def __init__(self) -> None:
        self._waiting: dict[C, None] = {}
        self._reached = 0.0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __iter__(self) -> Iterator[C]:
        return iter(self._waiting)

    def join(self, one: C) -> None:
        """Let someone wait, from now on."""
        if one not in self._waiting:
            one.start = max(one.start, self._reached)
            self._waiting[one] = None

    def leave(self, one: C) -> None:
        self._waiting.pop(one, None)

    def next(self, ready: Callable[[C], bool] | None = None) -> C | None:
        """Return whose turn it is among those that are ready, None where none is."""
        found: C | None = None
        for one in self._waiting:
            if (found is None or one.start < found.start) and (ready is None or ready(one)):
                found = one
        return found

    def served(self, one: C, cost: float) -> None:
        """Note that it was the turn of `one`, and what it took."""
        self._reached = max(self._reached, one.start)
        one.start += cost / one.weight
