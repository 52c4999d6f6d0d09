"""The last audit events of a cluster, for whoever runs it: a bounded number, of bounded size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

EVENTS, BYTES = 1000, 4 * 1024 * 1024


class AuditMemory:
    """Events as JSON bytes; the oldest are forgotten first."""

    def __init__(self, events: int = EVENTS, size: int = BYTES) -> None:
        self._most, self._largest = events, size
        self._events: deque[bytes] = deque()
        self._size = 0

    def add(self, event: bytes) -> None:
        self._events.append(event)
        self._size += len(event)
        while len(self._events) > self._most or self._size > self._largest:
            self._size -= len(self._events.popleft())

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the newest first."""
        return reversed(self._events)
