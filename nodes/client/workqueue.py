"""Keys that wait to be worked on.

Fair: keys come out in the order in which they went in. Stingy: a key that is added many times
before it is taken comes out once, and one that is added while it is worked on comes out again
after that, never to two workers at a time. Any number of workers may take; each works from then
on because of all that added its key.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from apimachinery.clock import Clock, Timer
from nodes.client.cause import CAUSE, NONE, Cause, joined
from nodes.client.metering import QueueMeter

K = TypeVar("K", bound=Hashable)

# client-go's default: the n-th failure in a row waits 5 ms * 2^n, at most 1000 s.
BASE_DELAY, MAX_DELAY = 0.005, 1000.0


class WorkQueue(Generic[K]):
    """A queue with `add`, `take`/`get` and `done`; later additions and backoff by the Clock."""

    def __init__(
        self,
        clock: Clock,
        *,
        base_delay: float = BASE_DELAY,
        max_delay: float = MAX_DELAY,
        wake: Callable[[], None] | None = None,
    ) -> None:
        """`wake` is called whenever a key has become ready to be taken."""
        self._clock = clock
        self._base, self._max = base_delay, max_delay
        self._wake = wake
        self._ready: deque[K] = deque()
        self._dirty: set[K] = set()
        self._processing: set[K] = set()
        self._timers: dict[K, tuple[float, Timer]] = {}
        self._failures: dict[K, int] = {}
        self._causes: dict[K, Cause] = {}
        self._getters: deque[asyncio.Future[None]] = deque()
        self._closed = False
        # Set where somebody reads what is counted.
        self.meter: QueueMeter | None = None

    def __len__(self) -> int:
        return len(self._ready)

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is worked on; a timer may still add a key."""
        return not self._ready and not self._processing

    def depths(self) -> dict[str, int]:
        """Return how many keys are ready, worked on, and to come again at their time."""
        ready, working, later = len(self._ready), len(self._processing), len(self._timers)
        return {"ready": ready, "working": working, "later": later}

    def add(self, key: K) -> None:
        if self._closed:
            return
        if cause := CAUSE.get():
            self._causes[key] = joined(self._causes.get(key, NONE), cause)
        if key in self._dirty:
            return
        self._dirty.add(key)
        if self.meter is not None:
            self.meter.added(key)
        if key not in self._processing:
            self._put(key)

    def add_after(self, key: K, delay: float) -> None:
        """Add the key in `delay` seconds; of several such wishes the earliest holds."""
        if delay <= 0:
            self.add(key)
            return
        if self._closed:
            return
        if self.meter is not None:
            self.meter.retried()
        due = self._clock.seconds() + delay
        if (waiting := self._timers.get(key)) is not None:
            if waiting[0] <= due:
                return
            waiting[1].cancel()
        self._timers[key] = (due, self._clock.call_later(delay, self._due, key))

    def add_rate_limited(self, key: K) -> None:
        """Add the key after a wait that doubles with each failure in a row."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(self._base * 2.0 ** min(failures, 64), self._max))

    def forget(self, key: K) -> None:
        """Count the key's failures from nothing again."""
        self._failures.pop(key, None)

    def retries(self, key: K) -> int:
        return self._failures.get(key, 0)

    def take(self) -> K | None:
        """Return the next key, or None if none is ready. Whoever takes one calls `done`."""
        if not self._ready:
            return None
        key = self._ready.popleft()
        self._dirty.discard(key)
        self._processing.add(key)
        CAUSE.set(self._causes.pop(key, NONE))
        if self.meter is not None:
            self.meter.taken(key)
        return key

    async def get(self) -> K | None:
        """Wait for the next key; None means that the queue is closed."""
        while (key := self.take()) is None:
            if self._closed:
                return None
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._getters.append(waiting)
            await waiting
        return key

    def done(self, key: K) -> None:
        """Say that the work on a key has ended, well or not."""
        self._processing.discard(key)
        if key in self._dirty:
            self._put(key)

    def close(self) -> None:
        """Take no more keys; what waits is dropped."""
        self._closed = True
        for _, timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._ready.clear()
        self._dirty.clear()
        self._causes.clear()
        while self._getters:
            self._resolve(self._getters.popleft())

    def _due(self, key: K) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _put(self, key: K) -> None:
        self._ready.append(key)
        while self._getters:
            if self._resolve(self._getters.popleft()):
                return
        if self._wake is not None:
            self._wake()

    @staticmethod
    def _resolve(getter: asyncio.Future[None]) -> bool:
        if getter.done():
            return False
        getter.set_result(None)
        return True
