"""Pods that are being tried or bound, and what has happened since each was taken from the queue.

Events are written down once for all of them, and only while there are any. Who comes back to the
queue is asked about those that it has missed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from nodes.scheduler.framework import Change

# What everybody has heard of is dropped so many at a time.
_AT_ONCE = 256

T = TypeVar("T")


class InFlight(Generic[T]):
    """Pods by uid, each with the events that it has not heard of."""

    def __init__(self) -> None:
        # The oldest first; each with the number of the first event that it has missed.
        self._pods: dict[str, tuple[T, int]] = {}
        self._events: list[Change] = []
        self._first = 0

    def __contains__(self, uid: str) -> bool:
        return uid in self._pods

    def get(self, uid: str) -> T | None:
        found = self._pods.get(uid)
        return found[0] if found is not None else None

    def begin(self, uid: str, pod: T) -> None:
        self._pods[uid] = (pod, self._first + len(self._events))

    def note(self, changes: Iterable[Change]) -> None:
        """Write down what has happened."""
        if self._pods:
            self._events += changes

    def end(self, uid: str) -> list[Change]:
        """Forget a pod; return what it has missed."""
        found = self._pods.pop(uid, None)
        if found is None:
            return []
        missed = self._events[found[1] - self._first :]
        self._drop()
        return missed

    def _drop(self) -> None:
        """Drop the events that nobody has still to hear of."""
        if not self._pods:
            self._first += len(self._events)
            self._events.clear()
            return
        oldest = next(iter(self._pods.values()))[1]
        if oldest - self._first > _AT_ONCE:
            del self._events[: oldest - self._first]
            self._first = oldest
