"""What comes of attempts: pods are bound, or wait again, and it is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeAlias

from nodes.client.supervise import TaskSet
from nodes.scheduler import binding
from nodes.scheduler.attempt import Attempt
from nodes.scheduler.binder import Binder
from nodes.scheduler.cache import Cache
from nodes.scheduler.cycle import Outcome
from nodes.scheduler.decisions import Decisions
from nodes.scheduler.evictions import Evictions, Preemptor, Room
from nodes.scheduler.observing import Observer
from nodes.scheduler.plugins.gang_scheduling import GangScheduling
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.profile import Profile
from nodes.scheduler.queue import Queue
from nodes.scheduler.telling import Teller
from nodes.scheduler.trials import Try
from nodes.scheduler.waiting import Waiting

log = logging.getLogger(__name__)

# What is to be written of an attempt.
Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class Settler:
    """Takes in the outcomes of attempts; each has a slot that is held until it is written."""

    def __init__(
        self,
        cache: Cache,
        queue: Queue,
        decisions: Decisions,
        teller: Teller,
        evictions: Evictions,
        binder: Binder,
        give_back: Callable[[PodInfo], None],
        slots: asyncio.Semaphore,
        tasks: TaskSet,
    ) -> None:
        """`give_back` takes a pod off the node that it was assumed on."""
        self._cache, self._queue, self._decisions = cache, queue, decisions
        self._teller, self._evictions = teller, evictions
        self._binder, self._give_back = binder, give_back
        self._slots, self._tasks = slots, tasks
        self.observer: Observer | None = None

    def next(
        self,
        profile: Profile,
        waiting: Waiting,
        outcome: Outcome,
        attempt: Attempt,
    ) -> Work:
        """Take in what came of an attempt; return what is to be written of it."""
        pod = waiting.pod
        if outcome.error:
            self._cache.unnominate(pod.uid)
            self._queue.put_back(waiting)
            failure = binding.Failure(outcome.message, "", rejected=False)
            return partial(self._teller.failed, pod, failure)
        lost = binding.reserve_for(profile, self._cache, pod, outcome)
        if lost is not None:
            attempt.message = lost.message
            self._cache.unnominate(pod.uid)
            self._queue.put_back(waiting, lost.refused_by)
            return partial(self._teller.failed, pod, lost)
        if outcome.node:
            self._cache.place(pod, outcome.node)
            return partial(self._bind, profile, waiting, outcome, attempt)
        if outcome.nominated:
            self._cache.nominate(pod, outcome.nominated)
        elif outcome.nominated is not None:
            self._cache.unnominate(pod.uid)
        if (choice := outcome.preemption) is None:
            self._queue.put_back(waiting, outcome.refused_by)
            return partial(self._teller.refused, pod, outcome)
        room = self._evictions.begin(Preemptor.of(pod), choice.node, choice.victims)
        # Only now, so that it is kept out until they are on their way.
        self._queue.put_back(waiting, outcome.refused_by)
        return partial(self._make_room, room, pod, outcome)

    def after_group(self, profile: Profile, one: Try) -> Work:
        """Take in what a group's trial means for a member; return what is to be written of it."""
        pod, waiting = one.waiting.pod, one.waiting
        if one.lost is not None:
            one.attempt.message = one.lost.message
            self._cache.unnominate(pod.uid)
            self._queue.put_back(waiting, one.lost.refused_by)
            return partial(self._teller.failed, pod, one.lost)
        if one.assumed and one.outcome.node:
            return partial(self._bind, profile, waiting, one.outcome, one.attempt)
        if one.attempt.held_back:
            # No event is known to help one that fits: its backoff has the group tried again.
            self._queue.put_back(waiting)
            self._cache.unnominate(pod.uid)
            if one.nominated:
                self._cache.nominate(pod, one.nominated)
            failure = binding.Failure(one.outcome.message, GangScheduling.name, rejected=True)
            return partial(self._teller.failed, pod, failure, one.nominated)
        return self.next(profile, waiting, one.outcome, one.attempt)

    def spawn(self, pod: PodInfo, outcome: Outcome, attempt: Attempt, work: Work) -> None:
        """Have a task write what is to be written of an attempt; it frees the slot."""
        if self.observer is not None:
            self.observer.tried(pod, attempt, outcome)
        self._tasks.spawn("bind" if outcome.node else "refuse", self._released(work, attempt))

    async def _released(self, work: Work, attempt: Attempt) -> None:
        # Called here, so that a task that is cancelled before it begins leaves nothing behind.
        try:
            await work()
        finally:
            self._slots.release()
            self._decisions.over(attempt)

    async def _make_room(self, room: Room, pod: PodInfo, outcome: Outcome) -> None:
        """Say why a pod waits, and send those away who have to go for it."""
        try:
            await self._teller.refused(pod, outcome)
        finally:
            await self._evictions.run(room)

    async def _bind(
        self, profile: Profile, waiting: Waiting, outcome: Outcome, attempt: Attempt
    ) -> None:
        """Bind a pod, or give its place back and say why."""
        pod, node = waiting.pod, outcome.node
        failure = await self._binder.bind(profile, pod, outcome, attempt)
        if failure is None:
            self._queue.done(pod.uid)
            self._teller.bound(pod, node)
            if self.observer is not None:
                self.observer.bound(waiting, node, attempt)
            return
        self._give_back(pod)
        if not failure.message:  # the pod has gone meanwhile
            self._queue.done(pod.uid)
            return
        attempt.message = failure.message
        log.warning("not bound: %s/%s: %s", *pod.key, failure.message)
        if self.observer is not None:
            self.observer.lost(pod, attempt, failure)
        self._queue.put_back(waiting, failure.refused_by)
        await self._teller.failed(waiting.pod, failure)
