"""One watcher of a cluster for all pages of those who may read the same of it.

Guarantees: nobody is shown what they may not read; every page sees the same changes in the same
order; a page that comes back within `LINGER` gets only what it missed; nothing runs for a cluster
that nobody looks at.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, Identity, Refused, connection_options
from playground.tasks import Tasks, announce
from playground.topology import protocol
from playground.topology.activity import Activity
from playground.topology.projection import KINDS, Kind
from playground.topology.protocol import Close
from playground.topology.reflector import Gone, Reflector, Report
from playground.topology.world import World

# How long a cluster is followed after its last page went: reloads and reconnects are shorter.
LINGER_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class Subscriber:
    """A page: what it has been sent, and how it is woken."""

    wake: asyncio.Event = field(default_factory=asyncio.Event)
    # Frames to send before changes, the last of each sort: errors, progress, status.
    notices: dict[str, str] = field(default_factory=dict)
    closed: Close | None = None
    # Whether it shows how busy the control plane is.
    activity: bool = False

    def tell(self, sort: str, notice: str) -> None:
        """Have a frame sent; it takes the place of one of its sort that was not sent yet."""
        self.notices.pop(sort, None)
        self.notices[sort] = notice
        self.wake.set()

    def take(self) -> list[str]:
        """Return the frames that are due, and forget them."""
        due = list(self.notices.values())
        self.notices.clear()
        return due

    def end(self, code: Close) -> None:
        self.closed = code
        self.wake.set()


class Upstream:
    """Follows one cluster as one user, for all who may read the same."""

    def __init__(self, client: httpx.AsyncClient, cluster: str, identity: Identity) -> None:
        self.world = World()
        # Numbers start again with the process: the epoch keeps an old cursor from matching.
        self.epoch = secrets.token_hex(4)
        self.ready = False
        self.gone = False
        self._subscribers: set[Subscriber] = set()
        self._waiting_for = {kind.resource for kind in KINDS if kind.essential}
        self._errors: dict[str, str] = {}
        self._down: dict[str, str] = {}
        self._frame: tuple[int, int, str] = (0, -1, "")
        self._tasks = Tasks()
        self._activity = Activity(client, cluster, identity, self._tell_activity)
        report = Report(self._synced, self._progressed, self._refused, self._unreachable)
        self._reflectors = [
            Reflector(client, cluster, identity, kind, self.world, report) for kind in KINDS
        ]

    def start(self) -> None:
        """Begin to follow."""
        for kind, reflector in zip(KINDS, self._reflectors, strict=True):
            self._tasks.serve(partial(self._follow, reflector), f"watch {kind.resource}")
        self._tasks.serve(partial(announce, self.world.changed, self._wake), "announce changes")
        self._tasks.serve(self._activity.run, "activity of the control plane")

    async def stop(self) -> None:
        """Stop following."""
        await self._tasks.stop()

    def join(self, subscriber: Subscriber) -> None:
        """Add a page, and tell it what is wrong now."""
        self._subscribers.add(subscriber)
        for resource, notice in self._errors.items():
            subscriber.tell(resource, notice)
        if self._down:
            subscriber.tell("status", self._status())
        if subscriber.activity:
            self.activity(subscriber, wanted=True)
        if self.gone:
            subscriber.end(Close.CLUSTER_GONE)

    def leave(self, subscriber: Subscriber) -> bool:
        """Remove a page; tell whether it was the last."""
        self._subscribers.discard(subscriber)
        self._count_lookers()
        return not self._subscribers

    def activity(self, subscriber: Subscriber, *, wanted: bool) -> None:
        """Tell a page how busy the control plane is, or do so no longer."""
        subscriber.activity = wanted
        self._count_lookers()
        if wanted and (latest := self._activity.latest) is not None:
            subscriber.tell("activity", latest)

    def _count_lookers(self) -> None:
        self._activity.want(wanted=any(one.activity for one in self._subscribers))

    def _tell_activity(self, frame: str) -> None:
        for subscriber in self._subscribers:
            if subscriber.activity:
                subscriber.tell("activity", frame)

    def frame_after(self, number: int) -> str | None:
        """Return the batch after a number, or None when there is nothing new.

        Pages at the live edge ask for the same one, so the last is kept.
        """
        to = self.world.number
        if number == to:
            return None
        after, until, text = self._frame
        if (after, until) != (number, to):
            changes = self.world.changes_after(number)
            text = protocol.batch(self.epoch, number, self.world, changes)
            self._frame = (number, to, text)
        return text

    async def _follow(self, reflector: Reflector) -> None:
        try:
            await reflector.run()
        except Gone:
            self.gone = True
            for subscriber in self._subscribers:
                subscriber.end(Close.CLUSTER_GONE)

    def _wake(self) -> None:
        """Wake the pages, once there is a picture."""
        if self.ready:
            for subscriber in self._subscribers:
                subscriber.wake.set()

    def _synced(self, kind: Kind) -> None:
        self._errors.pop(kind.resource, None)
        if self._down.pop(kind.resource, None) is not None and not self._down:
            self._tell_all("status", self._status())
        self._settled(kind)

    def _settled(self, kind: Kind) -> None:
        """Note that a kind was read, or may not be: the picture waits for it no longer."""
        self._waiting_for.discard(kind.resource)
        if not self.ready and not self._waiting_for:
            self.ready = True
            self._wake()

    def _progressed(self, kind: Kind, read: int, total: int) -> None:
        if not self.ready and kind.resource == "pods":
            self._tell_all("progress", protocol.encode("progress", read=read, total=total))

    def _refused(self, kind: Kind, error: Refused | None) -> None:
        # A kind that is not served is empty; a kind that one may not read is worth a word.
        if error is not None and error.code in (401, 403):
            notice = _forbidden(kind, error)
            self._errors[kind.resource] = notice
            self._tell_all(kind.resource, notice)
        self._settled(kind)

    def _unreachable(self, kind: Kind, text: str) -> None:
        first = not self._down
        self._down[kind.resource] = text
        if first:
            self._tell_all("status", self._status())

    def _status(self) -> str:
        text = next(iter(self._down.values()), "")
        return protocol.encode("status", upstream="down" if self._down else "ok", text=text)

    def _tell_all(self, sort: str, notice: str) -> None:
        for subscriber in self._subscribers:
            subscriber.tell(sort, notice)


async def as_of(
    client: httpx.AsyncClient, cluster: str, identity: Identity, revision: int
) -> tuple[World, list[str]]:
    """Return what a cluster looked like at a revision, and what of it may not be read.

    Raises Refused for the picture's essentials, as for a revision that is no longer kept.
    """
    world, notices = World(), []

    async def read(kind: Kind) -> None:
        report = Report(_quiet, lambda *_: None, lambda *_: None, lambda *_: None)
        reflector = Reflector(client, cluster, identity, kind, world, report, revision)
        try:
            await reflector.read()
        except Refused as error:
            if kind.essential and error.code not in (401, 403):
                raise
            if error.code in (401, 403):
                notices.append(_forbidden(kind, error))

    await asyncio.gather(*map(read, KINDS))
    return world, notices


def _quiet(kind: Kind) -> None:
    del kind


def _forbidden(kind: Kind, error: Refused) -> str:
    return protocol.encode("error", code="forbidden", kind=kind.resource, text=error.message)


class Upstreams:
    """The upstreams of the process, by cluster and what their users may read of it."""

    def __init__(
        self,
        options: Callable[[], dict[str, Any]] = connection_options,
        linger: float = LINGER_SECONDS,
    ) -> None:
        self._options = options
        self._linger = linger
        self._client: httpx.AsyncClient | None = None
        self._open: dict[tuple[str, Hashable], Upstream] = {}
        self._ending: dict[tuple[str, Hashable], asyncio.TimerHandle] = {}
        self._tasks = Tasks()

    def join(self, cluster: Cluster, identity: Identity, subscriber: Subscriber) -> Upstream:
        """Return the upstream of a cluster for a user, started if need be."""
        # A cluster that was deleted and made again under its old name is another one.
        # No kind of the picture is a Secret.
        key = (f"{cluster.name}/{cluster.uid}", access.sight(identity, secrets=False))
        if timer := self._ending.pop(key, None):
            timer.cancel()
        upstream = self._open.get(key)
        if upstream is None or upstream.gone:
            upstream = Upstream(self._shared_client(), cluster.name, identity)
            self._open[key] = upstream
            upstream.start()
        upstream.join(subscriber)
        return upstream

    def leave(self, upstream: Upstream, subscriber: Subscriber) -> None:
        """Take a page off; the last one's upstream ends after a while."""
        if not upstream.leave(subscriber):
            return
        for key, known in self._open.items():
            if known is upstream:
                loop = asyncio.get_running_loop()
                self._ending[key] = loop.call_later(self._linger, self._end, key)

    async def stop(self) -> None:
        """End everything."""
        for timer in self._ending.values():
            timer.cancel()
        for upstream in self._open.values():
            await upstream.stop()
        self._open.clear()
        await self._tasks.stop()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def client(self) -> httpx.AsyncClient:
        """Return the client for streams of other kinds."""
        return self._shared_client()

    def _end(self, key: tuple[str, Hashable]) -> None:
        self._ending.pop(key, None)
        if upstream := self._open.pop(key, None):
            self._tasks.start(upstream.stop(), "end of an upstream")

    def _shared_client(self) -> httpx.AsyncClient:
        if self._client is None:
            # A watch for each of KINDS, cluster and sight: a limit would make a page wait for ever.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=32)
            self._client = httpx.AsyncClient(**self._options(), limits=limits, timeout=15.0)
        return self._client


UPSTREAMS = Upstreams()
