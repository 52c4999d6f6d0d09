"""The Clock that the event loop drives: real time in a server, virtual time in a test.

A cluster's time can be paused and run faster than the loop's. Timers wait in one heap with one
loop timer for the earliest, so a waiting cluster costs nothing, however many timers it has.

Time that is sped up never runs past a timer that is due, and waits for a loop that is busy: the
rate is a limit. Else a second's patience of a probe would be over before it is asked.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import math
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from apimachinery.clock import Clock, Timer
from nodes.client.cause import CAUSE

log = logging.getLogger(__name__)

# Sums of floats do not always come out even: a timer this close to its moment is due.
_EARLY = 1e-6
# A loop that comes this late (real seconds) to a timer is busy; sped up time waits as long for it.
_BUSY = 0.004
# It waits no longer than this in a row, so that time goes on under any load.
_LONGEST_WAIT = 0.25


class LoopClock(Clock):
    """Cluster seconds = an epoch + the loop's seconds times a rate, held still while paused.

    It counts from its first use, which has to be inside the loop that it is for.
    """

    def __init__(self, epoch: float | None = None, ahead: float = 0.0) -> None:
        """`ahead`: how many seconds it is before the machine's clock at its first use."""
        self._epoch, self._begin_ahead = epoch, ahead
        self._offset = 0.0
        self._armed_for = self._waited = 0.0
        self._base = 0.0
        self._running: asyncio.AbstractEventLoop | None = None
        self._since = 0.0
        self._rate = 1.0
        self._paused = False
        self._heap: list[tuple[float, int, _ClockTimer]] = []
        self._order = count()
        self._armed: asyncio.TimerHandle | None = None

    @property
    def rate(self) -> float:
        return self._rate

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        if self._running is None:
            self._running = asyncio.get_running_loop()
            self._since = self._running.time()
            # The one place that reads the machine's clock: from here on the loop counts.
            now = time.time() if self._epoch is None else self._epoch  # noqa: TID251
            self._base = now + self._begin_ahead
            self._offset = now - self._since
        return self._running

    def seconds(self) -> float:
        now = self._loop.time()
        if self._paused:
            return self._base
        seconds = self._base + (now - self._since) * self._rate
        if self._rate > 1 and (due := self.next_due()) is not None:
            return max(self._base, min(seconds, due))
        return seconds

    def ahead(self) -> float:
        """Return how many seconds the cluster is before the machine's clock, or behind it (-)."""
        return self.seconds() - self._offset - self._loop.time()

    def next_due(self) -> float | None:
        """Return when the next timer is due, in cluster seconds; None where none waits."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer:
        now = self.seconds()
        due = now + max(delay, 0.0)
        if delay > 0:
            # So little that it is lost in a number of this size is still later than now: who looks
            # again when time is up would look for ever.
            due = max(due, math.nextafter(now, math.inf))
        timer = _ClockTimer(callback, args)
        first = not self._heap or due < self._heap[0][0]
        heapq.heappush(self._heap, (due, next(self._order), timer))
        if first:
            self._arm()
        return timer

    async def sleep(self, delay: float) -> None:
        if delay <= 0:
            await asyncio.sleep(0)
            return
        woken = self._loop.create_future()
        timer = self.call_later(delay, _wake, woken)
        try:
            await woken
        finally:
            timer.cancel()

    def set_rate(self, rate: float) -> None:
        """Let a second of the loop be `rate` seconds of the cluster from now on."""
        if rate <= 0:
            raise ValueError("the rate of a clock is more than nothing; pause() stops it")
        self._rebase()
        self._rate = rate
        self._arm()

    def pause(self) -> None:
        """Hold the cluster's time still; timers wait."""
        self._rebase()
        self._paused = True
        self._arm()

    def resume(self) -> None:
        """Go on from where `pause` stopped."""
        self._rebase()
        self._paused = False
        self._arm()

    def step(self, delay: float) -> None:
        """Move on by `delay` cluster seconds at once; what comes due is called in order."""
        self._rebase()
        self._base += delay
        self._fire()

    def advance(self, furthest: float) -> float:
        """Move to the next timer, at most `furthest` seconds on; return by how many it moved."""
        before, due = self.seconds(), self.next_due()
        self.step(furthest if due is None else min(max(due - before, 0.0), furthest))
        return self.seconds() - before

    def close(self) -> None:
        """Forget every timer."""
        self._heap.clear()
        self._arm()

    def _rebase(self) -> None:
        self._base = self.seconds()
        self._since = self._loop.time()

    def _arm(self) -> None:
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None
        due = self.next_due()
        if due is not None and not self._paused:
            wait = (due - self.seconds()) / self._rate
            self._arm_in(max(wait, 0.0))

    def _arm_in(self, wait: float) -> None:
        self._armed_for = self._loop.time() + wait
        self._armed = self._loop.call_at(self._armed_for, self._on_loop)

    def _on_loop(self) -> None:
        self._armed = None
        due = self.next_due()
        if self._rate <= 1 or due is None:
            self._fire()
            return
        late = self._loop.time() - self._armed_for
        if late > _BUSY and self._waited < _LONGEST_WAIT:
            self._waited += late
            self._arm_in(_BUSY)
            return
        self._waited = 0.0
        if self._base + (self._loop.time() - self._since) * self._rate >= due - _EARLY:
            # What the loop was late by does not count.
            self._base, self._since = max(self._base, due), self._loop.time()
        self._fire()

    def _fire(self) -> None:
        now = self.seconds() + _EARLY
        # What is set off now has its turn after the loop had one.
        last = next(self._order)
        while self._heap and self._heap[0][0] <= now and self._heap[0][1] < last:
            heapq.heappop(self._heap)[2].fire()
        self._arm()
        due = self.next_due()
        # It has that turn where time stands still too, as after a step.
        if self._paused and due is not None and due <= now:
            self._arm_in(0.0)


class _ClockTimer:
    """A callback until it is called or cancelled; then it holds on to nothing.

    It is called because of what it was made because of.
    """

    __slots__ = ("_args", "_callback", "_cause")

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._callback: Callable[..., Any] | None = callback
        self._args = args
        self._cause = CAUSE.get()

    @property
    def cancelled(self) -> bool:
        return self._callback is None

    def cancel(self) -> None:
        self._callback, self._args = None, ()

    def fire(self) -> None:
        callback, args = self._callback, self._args
        self.cancel()
        if callback is None:
            return
        CAUSE.set(self._cause)
        try:
            callback(*args)
        except Exception:
            # As with the loop's own timers, the others go on.
            log.exception("timer failed")


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
