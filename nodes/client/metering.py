"""What a component counts of its work, where somebody can read it: its queues and its calls.

Under a microsecond for each; a queue that has no meter counts nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from apimachinery.clock import Clock
from apimachinery.errors import ApiError
from apimachinery.exposition import Histogram
from apimachinery.meta import Obj
from nodes.client.transport import Call, Cancellable, Closed, Deliver, Transport

# client-go's: 10 ns times ten, ten times.
_BOUNDS = tuple(1e-8 * 10**power for power in range(10))
_METHODS = {"create": "POST", "update": "PUT", "patch": "PATCH"}
_METHODS |= {"delete": "DELETE", "deletecollection": "DELETE"}


class QueueMeter:
    """What one work queue has taken, and how long its keys waited and were worked on."""

    __slots__ = ("_added", "_clock", "_taken", "adds", "retries", "waited", "worked")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.adds = self.retries = 0
        self.waited, self.worked = Histogram(_BOUNDS), Histogram(_BOUNDS)
        self._added: dict[Hashable, float] = {}
        self._taken: dict[Hashable, float] = {}

    def added(self, key: Hashable) -> None:
        self.adds += 1
        self._added.setdefault(key, self._clock.seconds())

    def retried(self) -> None:
        self.retries += 1

    def taken(self, key: Hashable) -> None:
        now = self._taken[key] = self._clock.seconds()
        self.waited.add(now - self._added.pop(key, now))

    def done(self, key: Hashable) -> None:
        now = self._clock.seconds()
        self.worked.add(now - self._taken.pop(key, now))

    def unfinished(self) -> tuple[float, float]:
        """Return for how long is being worked: on all keys together, and on the oldest."""
        now = self._clock.seconds()
        under_way = [now - began for began in self._taken.values()]
        return sum(under_way), max(under_way, default=0.0)


class Metered:
    """Keeps Transport, over another one: counts answers in `answers` by (code, method).

    A watch counts as let in as soon as it is asked for: that it was is said by no answer.
    """

    def __init__(self, far: Transport, answers: Counter[tuple[int, str]]) -> None:
        self._far, self._answers = far, answers

    async def call(self, call: Call) -> Obj:
        method = _METHODS.get(call.verb, "GET")
        try:
            answer = await self._far.call(call)
        except ApiError as error:
            self._answers[error.code, method] += 1
            raise
        self._answers[201 if method == "POST" else 200, method] += 1
        return answer

    def watch(self, call: Call, after: int, deliver: Deliver, closed: Closed) -> Cancellable:
        self._answers[200, "GET"] += 1
        return self._far.watch(call, after, deliver, closed)
