"""Pods that wait: to be tried (active), until they may be tried (backoff), for a change.

A refused pod waits for an event that one of the plugins that refused it names; then it backs
off, 1 s doubled with each attempt up to 10 s unless configured otherwise, and becomes active.
What no event has moved for five minutes is tried all the same. One timer stands for all that wait.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

from apimachinery.clock import Clock, Timer
from nodes.client.cause import CAUSE, NONE, Cause, joined
from nodes.scheduler.framework import Event
from nodes.scheduler.podinfo import PodInfo

FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 10.0
LEFTOVER_AFTER = 300.0


@dataclass(slots=True)
class Waiting:
    """A pod in the queue, with what is known of its attempts."""

    pod: PodInfo
    since: float
    attempts: int = 0
    refused_by: frozenset[str] = frozenset()
    gated: bool = False
    where: str = "active"
    until: float = 0.0
    order: int = field(default=0)
    cause: Cause = NONE


class Queue:
    """The waiting pods of one scheduler; `wake` is called when one has become active."""

    def __init__(self, clock: Clock, wake: Callable[[], None]) -> None:
        self._clock, self._wake = clock, wake
        self._pods: dict[str, Waiting] = {}
        self._active: list[tuple[int, float, int, str]] = []
        self._order = count()
        self._timer: Timer | None = None
        self._due = 0.0
        self.backoff = (FIRST_BACKOFF, LONGEST_BACKOFF)
        # Counted while attempts run: an event during an attempt must not be missed by its pod.
        self._moves = 0

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._pods.values())

    def __len__(self) -> int:
        return len(self._pods)

    def depths(self) -> dict[str, int]:
        """Return how many pods wait in each part of the queue."""
        depths = {"active": 0, "backoff": 0, "unschedulable": 0, "gated": 0}
        for waiting in self._pods.values():
            depths["gated" if waiting.gated else waiting.where] += 1
        return depths

    def waiting(self, uid: str) -> Waiting | None:
        return self._pods.get(uid)

    @property
    def moves(self) -> int:
        return self._moves

    def add(self, pod: PodInfo, *, gated: bool) -> None:
        """Take a new pod, or a pod that has itself changed."""
        known = self._pods.get(pod.uid)
        waiting = known or Waiting(pod, self._clock.seconds())
        waiting.pod, waiting.gated, waiting.cause = pod, gated, CAUSE.get()
        self._pods[pod.uid] = waiting
        if gated:
            waiting.where = "unschedulable"
        elif known is None or known.where != "active":
            self._activate(waiting)

    def update(self, pod: PodInfo) -> None:
        """Take the newer object without trying it again."""
        if waiting := self._pods.get(pod.uid):
            waiting.pod = pod

    def remove(self, uid: str) -> None:
        self._pods.pop(uid, None)

    def pop(self) -> Waiting | None:
        """Take the next pod to be tried: highest priority first, then the longest waiting."""
        while self._active:
            _, _, order, uid = heapq.heappop(self._active)
            waiting = self._pods.get(uid)
            if waiting is None or waiting.where != "active" or waiting.order != order:
                continue
            waiting.where = "tried"
            waiting.attempts += 1
            del self._pods[uid]
            return waiting
        return None

    def put_back(self, waiting: Waiting, refused_by: Iterable[str], moves: int) -> None:
        """Let a refused pod wait; at once for its backoff if something moved during the attempt."""
        if waiting.pod.uid in self._pods:  # it came in anew meanwhile
            return
        waiting.refused_by = frozenset(refused_by)
        self._pods[waiting.pod.uid] = waiting
        if self._moves != moves:
            self._back_off(waiting)
            return
        waiting.where = "unschedulable"
        waiting.until = self._clock.seconds() + LEFTOVER_AFTER
        self._arm(waiting.until)

    def move(self, event: Event, plugins_for: dict[Event, frozenset[str]]) -> None:
        """Let go on what this event may help: those that a plugin refused that waits for it."""
        self._moves += 1
        helped = plugins_for.get(event, frozenset())
        for waiting in self._pods.values():
            if waiting.where != "unschedulable" or waiting.gated:
                continue
            if not waiting.refused_by or waiting.refused_by & helped:
                waiting.cause = joined(waiting.cause, CAUSE.get())
                self._back_off(waiting)

    def move_all(self) -> None:
        """Let every pod be tried again: other rules hold."""
        self._moves += 1
        for waiting in self._pods.values():
            if waiting.where in {"unschedulable", "backoff"} and not waiting.gated:
                self._activate(waiting)

    def close(self) -> None:
        self._pods.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _back_off(self, waiting: Waiting) -> None:
        first, longest = self.backoff
        wait = min(first * 2 ** max(waiting.attempts - 1, 0), longest)
        waiting.where = "backoff"
        waiting.until = self._clock.seconds() + wait
        self._arm(waiting.until)

    def _activate(self, waiting: Waiting) -> None:
        waiting.where = "active"
        waiting.order = next(self._order)
        heapq.heappush(
            self._active, (-waiting.pod.priority, waiting.since, waiting.order, waiting.pod.uid)
        )
        self._wake()

    def _arm(self, due: float) -> None:
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = self._clock.call_later(due - self._clock.seconds(), self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        now = self._clock.seconds() + 1e-6
        later = []
        for waiting in list(self._pods.values()):
            if waiting.gated or waiting.where not in {"backoff", "unschedulable"}:
                continue
            if waiting.until <= now:
                self._activate(waiting)
            else:
                later.append(waiting.until)
        if later:
            self._arm(min(later))
