"""The latest events of a cluster, kept for watchers that come back after a short break."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice

from apiserver.storage import Event

# A quarter of a megabyte is some 30 pods with their previous states: what a small cluster may cost
# beside its objects; a large one may cost a share of these. Who needs more reads the log. All of it
# at once must not be too much for one who reads a stream (`BACKLOG_EVENTS`).
WINDOW_EVENTS = 512
WINDOW_BYTES = 256 * 1024
WINDOW_SHARE = 1 / 16


class Window:
    """Events without a gap, the oldest dropped first; `floor` is the revision before them."""

    __slots__ = ("_bytes", "_events", "floor")

    def __init__(self, revision: int) -> None:
        self.floor = revision
        self._events: deque[Event] = deque()
        self._bytes = 0

    def extend(self, events: Iterable[Event], size: int) -> None:
        """Take in events of a cluster whose objects have `size` bytes."""
        most = max(WINDOW_BYTES, size * WINDOW_SHARE)
        for event in events:
            self._events.append(event)
            self._bytes += _size(event)
        while self._bytes > most or len(self._events) > WINDOW_EVENTS:
            dropped = self._events.popleft()
            self._bytes -= _size(dropped)
            self.floor = dropped.revision

    def after(self, revision: int) -> Iterable[Event]:
        """Return the events after `revision`, which must not lie below the floor."""
        # Revisions have no gaps, so the distance from the floor is the position.
        return islice(self._events, revision - self.floor, None)


def _size(event: Event) -> int:
    previous = event.previous
    return len(event.entry.raw) + (len(previous.raw) if previous is not None else 0)
