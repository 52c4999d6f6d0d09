"""Priority levels: how many seats each has, who sits there, and who waits.

A seat is a request that is being served: from when it may begin until its answer is made, or its
watch opened. A request may need several (see `width`). The seats of the server are divided by
`nominalConcurrencyShares`. What a level may lend and does not use, others may take beyond their
own; its own seats a level has back at once, while those who took them finish, so that nobody is
held up by a loan. (Kubernetes moves such limits every ten seconds instead.)
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apimachinery.meta import Obj
from apiserver.flowcontrol.fair import FairTurns
from apiserver.flowcontrol.retries import Dropped

# The most seats that one list may need, and the part of its level's seats.
WIDEST, WIDEST_PART = 10, 0.15
# A level may have ten million queues; those in which nobody waits are forgotten beyond so many.
QUEUES_KEPT = 1024
_EXEMPT = "Exempt"


@dataclass(slots=True, eq=False)
class Waiter:
    """A request that waits: whose seat it will be, how wide, and who is told."""

    flow: Any
    width: int
    future: asyncio.Future[Any]
    queue: Queue
    since: float
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True, eq=False)
class Queue:
    """One of a level's queues: first come, first served."""

    # In their order; whoever goes leaves at once, wherever they stand.
    waiting: OrderedDict[Waiter, None] = field(default_factory=OrderedDict)
    start: float = 0.0
    weight: float = 1.0
    # Seats that those who wait here will need.
    width: int = 0

    def head(self) -> Waiter | None:
        """Return who is next; those who are going are forgotten."""
        while (first := next(iter(self.waiting), None)) is not None and first.future.done():
            del self.waiting[first]
        return first


@dataclass(frozen=True, slots=True)
class Queuing:
    """How a level's requests wait."""

    queues: int
    hand: int
    length: int


class Level:
    """A priority level at work. It outlives changes of its configuration."""

    def __init__(self, name: str, peers: Mapping[str, Level]) -> None:
        self.name, self.uid = name, ""
        self._peers = peers
        self.exempt = False
        self.shares = 0
        self.lendable_percent = 0
        self.borrowing_percent: int | None = None
        self.queuing: Queuing | None = None
        # In seats.
        self.nominal = self.lower = self.upper = 0
        self.widest = 1
        self.in_use = 0
        # Requests, and the seats that they will need.
        self.waiting = self.waiting_width = 0
        # How many queues there are; each is made when somebody has to wait in it.
        self.count = 0
        self._queues: dict[int, Queue] = {}
        self._most_kept = QUEUES_KEPT
        self.turns: FairTurns[Queue] = FairTurns()
        self.start = 0.0
        self.dropped = Dropped()

    @property
    def weight(self) -> float:
        return float(max(self.nominal, 1))

    def configure(self, obj: Obj) -> None:
        """Take over a PriorityLevelConfiguration; the seats are divided afterwards."""
        spec = obj.get("spec") or {}
        self.uid = obj["metadata"].get("uid") or ""
        self.exempt = spec.get("type") == _EXEMPT
        part = spec.get("exempt" if self.exempt else "limited") or {}
        self.shares = part.get("nominalConcurrencyShares") or 0
        self.lendable_percent = part.get("lendablePercent") or 0
        self.borrowing_percent = part.get("borrowingLimitPercent")
        queuing = (part.get("limitResponse") or {}).get("queuing")
        self.queuing = queuing and Queuing(
            queuing.get("queues") or 1,
            queuing.get("handSize") or 1,
            queuing.get("queueLengthLimit") or 0,
        )
        count = self.queuing.queues if self.queuing else 1
        if count != self.count:
            # Who waits in an old queue keeps the place there.
            self.count, self._queues = count, {}

    def divide(self, seats: int, shares: int) -> None:
        """Work out the level's part of the server's seats."""
        self.nominal = math.ceil(seats * self.shares / shares) if shares else 0
        lendable = round(self.nominal * self.lendable_percent / 100)
        self.lower = self.nominal - lendable
        borrowed = self.borrowing_percent
        more = seats if borrowed is None else round(self.nominal * borrowed / 100)
        self.upper = self.nominal + more
        self.widest = max(1, min(WIDEST, math.ceil(WIDEST_PART * self.nominal)))

    def fits(self, width: int) -> bool:
        """Tell whether a request of this width may sit down now."""
        used = self.in_use + width
        # One that is too wide for its level is served alone.
        if used <= self.nominal or not self.in_use:
            return True
        return used <= self.upper and used - self.nominal <= self._spare()

    def full(self, width: int) -> bool:
        """Tell whether those who wait will take all seats, so that one more is too many."""
        return not self.fits(self.waiting_width + width)

    def _spare(self) -> int:
        """Return how many seats others lend, less what is lent already."""
        spare = 0
        for other in self._peers.values():
            if other is self or other.exempt:
                continue
            free = other.nominal - other.in_use
            if free < 0:
                spare += free
            else:
                unused = max(0, free - other.waiting_width)
                spare += min(unused, other.nominal - other.lower)
        return spare

    def shortest(self, hand: Iterable[int]) -> Queue:
        """Return the queue of a hand with the least before one's turn."""
        return min(map(self.queue, hand), key=lambda queue: queue.width)

    def queue(self, number: int) -> Queue:
        """Return a queue, from 0 on."""
        found = self._queues.get(number)
        if found is None:
            if len(self._queues) >= self._most_kept:
                self._queues = {at: one for at, one in self._queues.items() if one.waiting}
                self._most_kept = max(QUEUES_KEPT, 2 * len(self._queues))
            found = self._queues[number] = Queue()
        return found

    def enqueue(self, waiter: Waiter) -> None:
        queue = waiter.queue
        queue.waiting[waiter] = None
        queue.width += waiter.width
        self.waiting += 1
        self.waiting_width += waiter.width
        self.turns.join(queue)

    def forget(self, waiter: Waiter) -> None:
        """Count a waiter out, who has been served or has gone."""
        self.waiting -= 1
        self.waiting_width -= waiter.width
        waiter.queue.width -= waiter.width
        waiter.queue.waiting.pop(waiter, None)
        if waiter.timer is not None:
            waiter.timer.cancel()
        if waiter.queue.head() is None:
            self.turns.leave(waiter.queue)

    def first(self) -> Waiter | None:
        """Return whose turn it is, None where nobody waits or nobody fits."""
        queue = self.turns.next()
        head = None if queue is None else queue.head()
        return head if head is not None and self.fits(head.width) else None
