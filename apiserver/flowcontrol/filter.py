"""Priority and fairness of one cluster: every request gets a seat, waits for one, or is refused.

    digest -> FlowSchema -> priority level -> a seat at once
                                           -> a queue of the flow's hand -> a seat, or too late
                                           -> refused: the queue is full, or the level has none

The objects of the cluster decide; which schema a kind of request matches is worked out once and
kept until one of them changes. `enter` costs two or three microseconds where nobody waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from apimachinery.clock import Clock
from apimachinery.errors import Overloaded
from apimachinery.meta import Obj
from apiserver.flowcontrol import bootstrap
from apiserver.flowcontrol.digest import Digest
from apiserver.flowcontrol.fair import FairTurns
from apiserver.flowcontrol.inflight import MUTATING, READ_ONLY, kind_of
from apiserver.flowcontrol.levels import Level, Queue, Waiter
from apiserver.flowcontrol.matching import Schema, read_schema
from apiserver.flowcontrol.options import FlowOptions
from apiserver.flowcontrol.shuffle import deal, hash_flow
from apiserver.flowcontrol.turns import Turns
from apiserver.flowcontrol.usage import Usage
from apiserver.storage.feed import Feed, Subscription
from apiserver.storage.types import Entry, Event

LEVELS = "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io"
SCHEMAS = "flowschemas.flowcontrol.apiserver.k8s.io"
# Decisions that are kept, of some 300 bytes, and the longest texts of which one is kept: names and
# paths are made up by whoever likes to.
KEPT, LONGEST_KEPT = 4096, 1024
# Levels, by name, and FlowSchemas, by precedence, that count: all are looked at where nothing is
# kept of a request.
MOST = 1000
# Of the time that a request has, this part may pass before it is served.
WAITING_PART = 0.25
_CATCH_ALL = "catch-all"


class Objects(Protocol):
    """The cluster's store, as far as it is read."""

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Entry]: ...


@dataclass(slots=True, eq=False)
class Flow:
    """Where requests of some digests belong: those of one schema that nothing tells apart."""

    schema: Schema
    level: Level
    usage: Usage
    # Shown in traces: schema and level.
    label: str
    headers: tuple[tuple[bytes, bytes], ...]
    distinguisher: str
    # "readOnly" or "mutating".
    kind: str
    hand: tuple[int, ...] = ()

    def queue(self) -> Queue:
        """Return the queue to wait in."""
        level = self.level
        if level.queuing is None:
            return level.queue(0)
        if not self.hand or max(self.hand) >= level.count:
            value = hash_flow(self.schema.name, self.distinguisher)
            self.hand = deal(value, level.count, level.queuing.hand)
        return level.shortest(self.hand)


class Seat:
    """A request's place while it is served. It is left once; leaving again changes nothing."""

    __slots__ = ("_filter", "flow", "width")

    def __init__(self, flow: Flow, width: int, owner: FlowFilter) -> None:
        self.flow, self.width = flow, width
        self._filter: FlowFilter | None = owner
        flow.level.in_use += width
        flow.usage.begin(width)
        owner.under_way[flow.kind] += 1

    def leave(self) -> None:
        owner, self._filter = self._filter, None
        if owner is not None:
            self.flow.level.in_use -= self.width
            self.flow.usage.end(self.width)
            owner.under_way[self.flow.kind] -= 1
            if owner.waiting:
                owner.seat_left()


class FlowFilter:
    """The seats of one cluster. All methods are called on the event loop."""

    weight = 1.0

    def __init__(
        self,
        objects: Objects,
        clock: Clock,
        options: FlowOptions,
        turns: Turns,
        request_timeout: float,
    ) -> None:
        self._objects, self._clock, self.options = objects, clock, options
        self._turns = turns
        self._longest_wait = request_timeout * WAITING_PART
        self.start = 0.0
        self.levels: dict[str, Level] = {}
        self.under_way = {READ_ONLY: 0, MUTATING: 0}
        self.usages: dict[tuple[str, str], Usage] = {}
        self._schemas: list[Schema] = []
        self._catch_all: Schema
        # All that have been read, by name, with the revision.
        self._known: dict[str, tuple[int, Schema]] = {}
        self._digests: dict[Digest, Flow] = {}
        self._flows: dict[tuple[str, str, str], Flow] = {}
        self._stale = True
        self._level_turns: FairTurns[Level] = FairTurns()
        self._subscriptions: list[Subscription] = []

    # -- the cluster's objects -------------------------------------------------------------------

    def follow(self, feed: Feed, revision: int) -> None:
        """Go by the objects as they are at `revision`, and by what becomes of them."""
        for resource in (LEVELS, SCHEMAS):
            subscription = feed.subscribe(
                resource, after=revision, sink=self._changed, closed=lambda _reason: None
            )
            self._subscriptions.append(subscription)

    def stop(self) -> None:
        """Follow no more."""
        for subscription in self._subscriptions:
            subscription.cancel()
        self._subscriptions.clear()

    def _changed(self, events: Sequence[Event]) -> None:
        del events
        self._stale = True

    def _read(self) -> None:
        """Read all objects again; those that must be there stand in for themselves."""
        self._stale = False
        self._digests.clear()
        self._flows.clear()
        listed = self._objects.list(LEVELS)[:MOST]
        found = {entry.key.name: entry.obj() for entry in listed}
        mandatory = {obj["metadata"]["name"]: obj for obj in bootstrap.mandatory_levels()}
        self._configure(mandatory | found)
        usable = [one for one in self._read_schemas() if one.level in self.levels]
        usable.sort(key=lambda schema: schema.order)
        self._schemas = usable[:MOST]
        self._catch_all = next(one for one in usable if one.name == _CATCH_ALL)
        kept = {(schema.level, schema.name) for schema in self._schemas}
        for key in [key for key, usage in self.usages.items() if key not in kept and usage.idle]:
            del self.usages[key]

    def _read_schemas(self) -> Iterable[Schema]:
        """Return all schemas; of those that have not changed nothing is read again."""
        before, self._known = self._known, {}
        for entry in self._objects.list(SCHEMAS):
            name = entry.key.name
            kept = before.get(name)
            if kept is None or kept[0] != entry.revision:
                kept = entry.revision, read_schema(entry.obj())
            self._known[name] = kept
        mandatory = {obj["metadata"]["name"]: obj for obj in bootstrap.mandatory_schemas()}
        missing = (read_schema(obj) for name, obj in mandatory.items() if name not in self._known)
        return (*missing, *(schema for _, schema in self._known.values()))

    def _configure(self, configurations: dict[str, Obj]) -> None:
        for name in [name for name in self.levels if name not in configurations]:
            # Who sits or waits there goes on; nobody comes after them.
            del self.levels[name]
        for name, obj in configurations.items():
            if name not in self.levels:
                self.levels[name] = Level(name, self.levels)
            self.levels[name].configure(obj)
        shares = sum(level.shares for level in self.levels.values())
        for level in self.levels.values():
            level.divide(self.options.seats, shares)

    def _classify(self, digest: Digest) -> Flow:
        # Nobody is outside of both groups of everybody, unless by impersonation.
        schema = next((one for one in self._schemas if one.matches(digest)), self._catch_all)
        flow = self._flow(schema, schema.flow_of(digest), kind_of(digest.verb))
        if digest.size <= LONGEST_KEPT:
            if len(self._digests) >= KEPT:
                self._digests.clear()
                self._flows.clear()
            self._digests[digest] = flow
        return flow

    def _flow(self, schema: Schema, distinguisher: str, kind: str) -> Flow:
        """Return a flow of a schema; most digests share theirs with others."""
        found = self._flows.get((schema.name, distinguisher, kind))
        if found is not None:
            return found
        level = self.levels[schema.level]
        key = (level.name, schema.name)
        usage = self.usages.get(key)
        if usage is None:
            usage = self.usages[key] = Usage()
        headers = (
            (b"x-kubernetes-pf-flowschema-uid", schema.uid.encode()),
            (b"x-kubernetes-pf-prioritylevel-uid", level.uid.encode()),
        )
        label = f"{schema.name}, {level.name}"
        made = Flow(schema, level, usage, label, headers, distinguisher, kind)
        if len(distinguisher) <= LONGEST_KEPT and len(self._flows) < KEPT:
            self._flows[schema.name, distinguisher, kind] = made
        return made

    # -- seats -----------------------------------------------------------------------------------

    def flow_of(self, digest: Digest) -> Flow:
        """Return where a request belongs."""
        if self._stale:
            self._read()
        return self._digests.get(digest) or self._classify(digest)

    def enter(self, flow: Flow, width: int) -> Seat | Coroutine[Any, Any, Seat]:
        """Return a seat, or what to wait for to get one. Raises Overloaded."""
        level = flow.level
        if level.exempt or (not level.waiting and self._turns.open() and level.fits(width)):
            return Seat(flow, width, self)
        return self._wait(self._enqueue(flow, width))

    def _enqueue(self, flow: Flow, width: int) -> Waiter:
        level = flow.level
        queue = flow.queue()
        # Seats may be free and only the loop's pass over: then nobody is refused.
        if level.full(width):
            if level.queuing is None:
                raise self.refusal(flow, "concurrency-limit")
            if len(queue.waiting) >= level.queuing.length:
                raise self.refusal(flow, "queue-full")
        loop = asyncio.get_running_loop()
        waiter = Waiter(flow, width, loop.create_future(), queue, loop.time())
        level.enqueue(waiter)
        flow.usage.waiting += 1
        waiter.timer = loop.call_later(self._longest_wait, self._too_late, waiter)
        self._level_turns.join(level)
        self._turns.wait(self)
        return waiter

    async def _wait(self, waiter: Waiter) -> Seat:
        try:
            seat: Seat = await waiter.future
        except asyncio.CancelledError:
            future = waiter.future
            if future.cancelled():
                self._forget(waiter, executed=False)
                waiter.flow.usage.reject("cancelled")
            elif future.exception() is None:
                # The seat came in the moment in which the request was given up.
                future.result().leave()
            raise
        return seat

    def _too_late(self, waiter: Waiter) -> None:
        if not waiter.future.done():
            waiter.future.set_exception(self.refusal(waiter.flow, "time-out"))
            self._forget(waiter, executed=False)

    def _forget(self, waiter: Waiter, *, executed: bool) -> None:
        level, usage = waiter.flow.level, waiter.flow.usage
        level.forget(waiter)
        if not level.waiting:
            self._level_turns.leave(level)
        usage.waiting -= 1
        usage.waited(asyncio.get_running_loop().time() - waiter.since, executed=executed)

    def refusal(self, flow: Flow, reason: str) -> Overloaded:
        """Return the refusal of a request, and count it."""
        flow.usage.reject(reason)
        return Overloaded(flow.level.dropped.note(self._clock.seconds()))

    # -- whose turn it is ------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        return bool(self._level_turns)

    def ready(self) -> Waiter | None:
        """Return whose turn it is among those for whom there is a seat."""
        level = self._level_turns.next(lambda one: one.first() is not None)
        return None if level is None else level.first()

    def serve_next(self) -> int:
        """Give the seat to whose turn it is, and return its width."""
        waiter = self.ready()
        if waiter is None:
            return 0
        level, queue = waiter.flow.level, waiter.queue
        level.turns.served(queue, waiter.width)
        self._level_turns.served(level, waiter.width)
        waiter.future.set_result(Seat(waiter.flow, waiter.width, self))
        self._forget(waiter, executed=True)
        return waiter.width

    def seat_left(self) -> None:
        """A seat is free, and somebody waits."""
        self._turns.arm()

    def all_levels(self) -> Iterable[Level]:
        """Return the levels as the objects have them now."""
        if self._stale:
            self._read()
        return self.levels.values()
