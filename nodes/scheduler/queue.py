"""Pods that wait: to be tried (active), until they may be tried (backoff), for a change.

A refused pod waits for an event of which a plugin that refused it says that it may help; events
that come while it is tried are asked about when it comes back. After an attempt it backs off, 1 s
doubled with each refusal up to 10 s unless configured otherwise, in whole seconds: pods of one
second are let go together. Who has waited that long already is active at once, and where nothing
else is active, some pods that back off are tried before their time; not so those at which the
attempt itself went wrong. What no event has moved for five minutes is tried all the same.

One timer stands for all that wait.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count
from typing import Any, TypeAlias

from apimachinery.clock import Clock, Timer
from apimachinery.meta import name_of, namespace_of
from nodes.client.cause import CAUSE, joined
from nodes.scheduler.attempt import NEW, Trigger
from nodes.scheduler.framework import Change
from nodes.scheduler.hints import Hints
from nodes.scheduler.inflight import InFlight
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.waiting import Held, Ignored, Waiting

FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 10.0
LEFTOVER_AFTER = 300.0
# Pods that are tried in one second before their backoff is over, so that many which fit nowhere
# do not take all the time while others come and go.
_EARLY = 32

# The words of v1.36 for what is no event of the cluster.
FAILED = Trigger("ScheduleAttemptFailure")
LEFT_OVER = Trigger("UnschedulableTimeout")
FORCED = Trigger("ForceActivate")
BACKED_OFF, EARLY = Trigger("BackoffComplete"), Trigger("PopFromBackoffQ")

# Says which plugin keeps a pod out of the queue; "" for none.
Gate: TypeAlias = Callable[[PodInfo], str]


class Queue:
    """The waiting pods of one scheduler; `wake` is called when there is one to be tried."""

    def __init__(self, clock: Clock, wake: Callable[[], None], gate: Gate) -> None:
        self._clock, self._wake, self._gate = clock, wake, gate
        self._pods: dict[str, Waiting] = {}
        # Heaps of (..., order, uid); an entry of another order than its pod's is out of date.
        self._active: list[tuple[int, float, int, str]] = []
        self._backoff: list[tuple[int, int, float, int, str]] = []
        self._errors: list[tuple[int, int, float, int, str]] = []
        self._left: list[tuple[float, int, str]] = []
        self._held = Held()
        self._in_flight: InFlight[Waiting] = InFlight()
        self._order = count()
        self._timer: Timer | None = None
        self._due = 0.0
        # How many pods came into a part of the queue, and after which event.
        self.came: defaultdict[tuple[str, str], int] = defaultdict(int)
        # The second, and how many were tried early in it.
        self._early = (0, 0)
        self.backoff = (FIRST_BACKOFF, LONGEST_BACKOFF)
        self.hints = Hints({}, {})

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

    def refused(self) -> dict[tuple[str, str], int]:
        """Return how many pods wait since a plugin has refused them, by plugin and scheduler."""
        found: defaultdict[tuple[str, str], int] = defaultdict(int)
        for waiting in self._pods.values():
            for plugin in waiting.refused_by:
                found[plugin, waiting.pod.scheduler] += 1
        return found

    def knows(self, uid: str) -> bool:
        """Tell whether a pod waits, or is being tried or bound."""
        return uid in self._pods or uid in self._in_flight

    def add(self, pod: PodInfo) -> None:
        """Take a new pod."""
        now = self._clock.seconds()
        waiting = Waiting(pod, now, stamp=now, cause=CAUSE.get())
        self._pods[pod.uid] = waiting
        self._requeue(waiting, NEW)

    def update(self, pod: PodInfo, changes: Iterable[Change] = ()) -> None:
        """Take the newer object of a pod that is known, and what has changed of it."""
        if tried := self._in_flight.get(pod.uid):
            tried.pod = pod
            self._in_flight.note(changes)
            return
        waiting = self._pods[pod.uid]
        if waiting.where != "unschedulable":
            waiting.pod = pod
            return
        self._held.remove(waiting)
        waiting.pod = pod
        self._held.add(waiting, self.hints.looked_at)
        for change in changes:
            if self._worth(waiting, change):
                return

    def remove(self, uid: str) -> None:
        """Forget a pod, or that it is being tried."""
        if waiting := self._pods.pop(uid, None):
            self._let_go(waiting)
        self.done(uid)

    def done(self, uid: str) -> None:
        """Take note that a pod has come to its end: it is bound, or gone."""
        self._in_flight.end(uid)

    def pop(self) -> Waiting | None:
        """Take the next pod to be tried: highest priority first, then the longest waiting."""
        waiting = self._pop(self._active, "active") or self._pop_early()
        if waiting is not None:
            self._begin(waiting)
        return waiting

    def _begin(self, waiting: Waiting) -> None:
        del self._pods[waiting.pod.uid]
        waiting.where = "tried"
        waiting.attempts += 1
        waiting.refused_by = frozenset()
        self._in_flight.begin(waiting.pod.uid, waiting)

    def take(self, uids: Iterable[str], because: Trigger) -> list[Waiting]:
        """Take these pods to be tried, wherever they wait, but for those that are kept out.

        `because`: why those are tried that did not wait for their turn.
        """
        found = []
        for uid in uids:
            waiting = self._pods.get(uid)
            if waiting is not None and not waiting.gated:
                if waiting.where != "active":
                    waiting.because = because
                self._let_go(waiting)
                self._begin(waiting)
                found.append(waiting)
        return found

    def put_back(self, waiting: Waiting, refused_by: Iterable[str] = ()) -> None:
        """Let a pod wait that has no node: for an event, or for its backoff where nobody refused
        it, and the attempt itself went wrong.
        """
        uid = waiting.pod.uid
        if self._in_flight.get(uid) is not waiting:  # it has gone meanwhile
            return
        missed = self._in_flight.end(uid)
        waiting.refused_by = frozenset(refused_by)
        waiting.stamp = self._clock.seconds()
        waiting.own = Ignored()
        self._pods[uid] = waiting
        if not waiting.refused_by:
            waiting.errors += 1
            waiting.until = self._end_of_backoff(waiting, waiting.errors)
            self._requeue(waiting, FAILED)
            return
        waiting.errors = 0
        waiting.refusals += 1
        waiting.until = self._end_of_backoff(waiting, waiting.refusals)
        self._hold(waiting)
        for change in missed:
            if self._worth(waiting, change):
                return
        self._count(waiting, FAILED)

    def move(self, change: Change) -> None:
        """Let go on what this change may help."""
        plugins = self.hints.asked(change.event)
        if not plugins:
            return
        self._in_flight.note((change,))
        for plugin in plugins:
            trigger = _trigger(change, plugin)
            helps = partial(self._helps, plugin=plugin, change=change)
            for waiting in self._held.helped(plugin, trigger, helps):
                self._let_on(waiting, trigger)

    def move_all(self) -> None:
        """Let every pod be tried again: other rules hold."""
        self.activate(tuple(self._pods))

    def activate(self, uids: Iterable[str]) -> None:
        """Let pods be tried again at once, whatever they wait for; but not who is kept out."""
        for uid in uids:
            waiting = self._pods.get(uid)
            if waiting is not None and waiting.where != "active":
                waiting.until = 0
                self._requeue(waiting, FORCED)

    def close(self) -> None:
        self._pods.clear()
        if self._timer is not None:
            self._timer.cancel()

    def retry_at(self, waiting: Waiting) -> float | None:
        """Return when a pod is tried at the latest; None where only an event can help."""
        if waiting.gated or waiting.where == "active":
            return None
        if waiting.where == "backoff":
            return waiting.until + 1
        return waiting.stamp + LEFTOVER_AFTER

    # From one part to another.

    def _worth(self, waiting: Waiting, change: Change) -> bool:
        """Let a pod go on if one of those who refused it says that a change may help."""
        for plugin in self.hints.asked(change.event):
            if plugin not in waiting.refused_by:
                continue
            helps = self._helps(waiting, plugin, change)
            if helps:
                self._let_on(waiting, _trigger(change, plugin))
                return True
            if helps is not None:
                waiting.own.add(_trigger(change, plugin))
        return False

    def _helps(self, waiting: Waiting, plugin: str, change: Change) -> bool | None:
        """Tell whether a change may help a pod that a plugin refused; None: it is none for it."""
        gate = waiting.gate
        if gate and not self.hints.concerns(waiting.pod.scheduler, gate, change.event):
            return None
        return self.hints.helps(waiting.pod, plugin, change)

    def _let_on(self, waiting: Waiting, trigger: Trigger) -> None:
        """Let a pod go on that an event may help."""
        waiting.cause = joined(waiting.cause, CAUSE.get())
        self._requeue(waiting, trigger)

    def _requeue(self, waiting: Waiting, trigger: Trigger) -> None:
        """Let a pod be tried: now, or after its backoff, unless a plugin keeps it out."""
        self._let_go(waiting)
        waiting.because = trigger
        waiting.gate = self._gate(waiting.pod)
        waiting.order = next(self._order)
        if waiting.gated:
            waiting.refused_by |= {waiting.gate}
            self._hold(waiting)
        elif waiting.until >= math.floor(self._clock.seconds()):
            self._back_off(waiting)
        else:
            self._activate(waiting)
        self._count(waiting, trigger)

    def _count(self, waiting: Waiting, trigger: Trigger) -> None:
        self.came[waiting.where, trigger.event] += 1

    def _hold(self, waiting: Waiting) -> None:
        waiting.where = "unschedulable"
        waiting.order = next(self._order)
        self._held.add(waiting, self.hints.looked_at)
        if not waiting.gated:
            due = waiting.stamp + LEFTOVER_AFTER
            heapq.heappush(self._left, (due, waiting.order, waiting.pod.uid))
            self._arm(due)

    def _let_go(self, waiting: Waiting) -> None:
        if waiting.where == "unschedulable":
            self._held.remove(waiting)

    def _back_off(self, waiting: Waiting) -> None:
        waiting.where = "backoff"
        heap = self._backoff if waiting.refused_by else self._errors
        key = (waiting.until, -waiting.pod.priority, waiting.stamp, waiting.order, waiting.pod.uid)
        heapq.heappush(heap, key)
        self._arm(waiting.until + 1)
        if waiting.refused_by:
            self._wake()

    def _activate(self, waiting: Waiting) -> None:
        waiting.where = "active"
        key = (-waiting.pod.priority, waiting.stamp, waiting.order, waiting.pod.uid)
        heapq.heappush(self._active, key)
        self._wake()

    def _end_of_backoff(self, waiting: Waiting, times: int) -> int:
        first, longest = self.backoff
        return math.floor(waiting.stamp + min(first * 2.0 ** min(times - 1, 64), longest))

    def _pop_early(self) -> Waiting | None:
        """Take a pod that backs off, where nothing is active (SchedulerPopFromBackoffQ)."""
        second, tried = self._early
        if (now := math.floor(self._clock.seconds())) != second:
            tried = 0
        if tried >= _EARLY:
            return None
        waiting = self._pop(self._backoff, "backoff")
        if waiting is not None:
            tried += 1
            self.came["active", EARLY.event] += 1
        self._early = (now, tried)
        return waiting

    def _pop(self, heap: list[Any], where: str) -> Waiting | None:
        """Take the first of a heap that is still where the heap says."""
        while heap:
            if waiting := self._taken(heapq.heappop(heap), where):
                return waiting
        return None

    def _taken(self, entry: tuple[Any, ...], where: str) -> Waiting | None:
        """Return the pod of a heap's entry, unless it has gone on since."""
        *_, order, uid = entry
        waiting = self._pods.get(uid)
        current = waiting is not None and waiting.where == where and waiting.order == order
        return waiting if current else None

    # Time.

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
        for heap in (self._backoff, self._errors):
            while heap and heap[0][0] + 1 <= now:
                if waiting := self._taken(heapq.heappop(heap), "backoff"):
                    self._activate(waiting)
                    self._count(waiting, BACKED_OFF)
        while self._left and self._left[0][0] <= now:
            if left := self._taken(heapq.heappop(self._left), "unschedulable"):
                self._requeue(left, LEFT_OVER)
        due: list[float] = [heap[0][0] + 1 for heap in (self._backoff, self._errors) if heap]
        if self._left:
            due.append(self._left[0][0])
        if due:
            self._arm(min(due))


def _trigger(change: Change, plugin: str) -> Trigger:
    namespace, name = namespace_of(change.obj), name_of(change.obj)
    return Trigger(change.event.value, f"{namespace}/{name}" if namespace else name, plugin)
