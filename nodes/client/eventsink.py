"""The way of a cluster's events to the API, without ever holding up those who tell of them.

As client-go's broadcasters: each component has a queue of a thousand, and what finds it full is
lost; it is written at the component's pace. What the API refuses is lost as well; as long as it
cannot be reached, the component's queue waits, and the first in it is tried twelve times, ten
seconds after one another. What is lost the component logs (`eventlog`). One task writes for all
components, some at a time and of each in turn; it lives while there is something that may be
written.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from apimachinery.clock import Clock, Timer, format_seconds
from apimachinery.errors import ApiError, NotFound
from nodes.client.cause import CAUSE
from nodes.client.correlator import FINISHED, REFRESHED, Correlator
from nodes.client.occurrences import Key, Occurrence, Saying, Written
from nodes.client.pace import Meter
from nodes.client.resources import EVENTS
from nodes.client.rest import STRATEGIC_PATCH
from nodes.client.supervise import TaskSet
from nodes.client.transport import Unreached

log = logging.getLogger(__name__)

# client-go's numbers: record/event.go.
WAITING = 1000
_TRIES, _BETWEEN_TRIES = 12, 10.0
# Writes under way together: enough to fill one group commit, few enough to leave room for work.
_TOGETHER = 32
# Where the pace is used up, so many may be written before it is asked again: not each wakes us.
_AFTER_A_REST = 8


@dataclass(slots=True, eq=False)
class _Queue:
    """What one component has to say; it is there as long as that is something."""

    component: str
    host: str
    meter: Meter
    sayings: deque[Saying] = field(default_factory=deque)
    tries: int = 0  # of the first, in vain
    ready: bool = False
    rest: Timer | None = None  # it may go on when this is over

    def first_wait(self) -> float:
        """Return a part of the wait that is each component's own: not all come back at once."""
        return _BETWEEN_TRIES * random.Random(f"{self.component}/{self.host}").random()  # noqa: S311


class EventSink:
    """Writes the events of a cluster: of each component in order."""

    def __init__(self, clock: Clock, tasks: TaskSet) -> None:
        self._clock, self._tasks = clock, tasks
        self._correlator = Correlator()
        self._queues: dict[tuple[str, str], _Queue] = {}
        self._meters: dict[tuple[str, str], Meter] = {}
        self._ready: deque[_Queue] = deque()
        self._draining = False

    def put(self, occurrence: Occurrence) -> None:
        """Take an event in; where too much is said, or waits, it is not written."""
        key = (occurrence.component, occurrence.host)
        queue = self._queues.get(key)
        if queue is not None and len(queue.sayings) >= WAITING:
            if not occurrence.log.silent:
                occurrence.log.dropped(self._correlator.alone(occurrence).event())
        elif occurrence.action:
            self._continue(occurrence)
        elif saying := self._correlator.observe(occurrence):
            self._say(saying)

    def forget(self, host: str) -> None:
        """Drop what still waits of a host: its components are no more."""
        for key in [key for key in self._queues if key[1] == host]:
            queue = self._queues.pop(key)
            queue.sayings.clear()
            self._withdraw(queue)
        for key in [key for key in self._meters if key[1] == host]:
            del self._meters[key]

    @property
    def idle(self) -> bool:
        return not self._draining

    # Series.

    def _continue(self, occurrence: Occurrence) -> None:
        """Say it, and say once that it was said again; how often comes now and then."""
        written, saying = self._correlator.observe_series(occurrence)
        if saying is not None:
            self._say(saying)
        elif not written.closing:
            written.closing = True
            self._clock.call_later(FINISHED, self._review, occurrence, written)

    def _review(self, occurrence: Occurrence, written: Written) -> None:
        """Write how often a series was said, if it is over, or was not written for long."""
        now = self._clock.seconds()
        left = written.last + FINISHED - now
        if left > 0:
            self._clock.call_later(left, self._review, occurrence, written)
            if now < written.told + REFRESHED:
                return
            written.told = now
        else:
            self._correlator.close_series(occurrence, written)
        at = replace(occurrence, seconds=written.last, stamp=format_seconds(written.last))
        self._say(Saying(at, written, occurrence.message, written.count))

    # Queues.

    def _say(self, saying: Saying) -> None:
        occurrence = saying.occurrence
        key = (occurrence.component, occurrence.host)
        queue = self._queues.get(key)
        if queue is None:
            meter = self._meters.setdefault(key, Meter(occurrence.pace))
            queue = self._queues[key] = _Queue(*key, meter)
        queue.sayings.append(saying)
        if queue.rest is None:
            self._offer(queue)

    def _offer(self, queue: _Queue) -> None:
        """Have a queue's first written as soon as it is its turn."""
        if not queue.ready:
            queue.ready = True
            self._ready.append(queue)
        if not self._draining:
            self._draining = True
            self._tasks.spawn("events", self._drain())

    def _withdraw(self, queue: _Queue) -> None:
        if queue.ready:
            queue.ready = False
            self._ready.remove(queue)

    def _take(self) -> dict[_Queue, list[Saying]]:
        """Take what is written together: of each queue in turn, as long as there is room.

        Of one that could not reach the API it is the first alone.
        """
        now = self._clock.seconds()
        taken: dict[_Queue, list[Saying]] = {}
        room = _TOGETHER
        while room and self._ready:
            queue = self._ready.popleft()
            queue.ready = False
            if not queue.meter.take(now):
                rest = min(len(queue.sayings), _AFTER_A_REST)
                self._rest(queue, queue.meter.wait(now, rest))
                continue
            room -= 1
            taken.setdefault(queue, []).append(queue.sayings.popleft())
            queue.ready = bool(queue.sayings) and not queue.tries
            if queue.ready:
                self._ready.append(queue)
        return taken

    def _rest(self, queue: _Queue, seconds: float) -> None:
        """Leave a queue alone for a while, which takes the place of one that was to come."""
        self._withdraw(queue)
        if queue.rest is not None:
            queue.rest.cancel()
        queue.rest = self._clock.call_later(seconds, self._rested, queue)

    def _rested(self, queue: _Queue) -> None:
        queue.rest = None
        if queue.sayings:  # not forgotten
            self._offer(queue)

    def _settle(self, queue: _Queue, unheard: list[Saying]) -> None:
        """Go on with a queue after some of it was written: `unheard` could not be."""
        if self._queues.get((queue.component, queue.host)) is not queue:
            return  # forgotten meanwhile
        queue.sayings.extendleft(reversed(unheard))
        queue.tries = queue.tries + 1 if unheard else 0
        if queue.tries >= _TRIES:
            lost = queue.sayings.popleft()
            lost.occurrence.log.given_up(lost.event())
            queue.tries = 0
        if queue.tries:
            self._rest(queue, queue.first_wait() if queue.tries == 1 else _BETWEEN_TRIES)
        elif not queue.sayings:
            del self._queues[queue.component, queue.host]
        elif queue.rest is None:
            self._offer(queue)

    # Writing.

    async def _drain(self) -> None:
        try:
            while taken := self._take():
                # Events of one kind keep their order: two of the same in a batch are written
                # one after the other.
                groups: dict[Key, list[Saying]] = {}
                for sayings in taken.values():
                    for saying in sayings:
                        groups.setdefault(saying.occurrence.reason_key, []).append(saying)
                left = await asyncio.gather(*map(self._write_all, groups.values()))
                unheard = {id(saying) for group in left for saying in group}
                for queue, sayings in taken.items():
                    self._settle(queue, [one for one in sayings if id(one) in unheard])
        finally:
            self._draining = False

    async def _write_all(self, group: list[Saying]) -> Iterable[Saying]:
        """Write one after the other; return what is left when the API cannot be reached."""
        for index, saying in enumerate(group):
            occurrence = saying.occurrence
            CAUSE.set(occurrence.cause)
            try:
                await write(saying)
            except Unreached as error:
                occurrence.log.waits(saying.event(), error)
                return group[index:]
            except ApiError as error:
                occurrence.log.refused(saying.event(), error)
            except Exception:
                log.exception("event failed: %s", occurrence.reason)
        return ()


async def write(saying: Saying) -> None:
    """Write one event, or that it happened again. Raises ApiError."""
    occurrence, written = saying.occurrence, saying.written
    if written.present:
        try:
            await occurrence.client.patch(
                EVENTS, occurrence.namespace, written.name, saying.repetition(), STRATEGIC_PATCH
            )
        except NotFound:
            written.present = False  # expired meanwhile: written anew
        else:
            return
    await occurrence.client.create(saying.event(), EVENTS)
    written.present = True
