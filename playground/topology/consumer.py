"""One page's websocket: says hello, gets a snapshot or what it missed, then what changes."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import httpx
import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import Http404

from playground.accounts.models import User
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, GatewayError, Identity, Refused, gateway
from playground.tasks import Tasks
from playground.topology import protocol
from playground.topology.protocol import Close
from playground.topology.upstream import UPSTREAMS, Subscriber, Upstream, Upstreams, as_of

log = logging.getLogger("kubeground.site")

BEAT_SECONDS = 5.0
# A page that takes longer to read what it was sent is late: it hears how far behind it is.
LATE_SECONDS = 1.0
# A session that was ended elsewhere loses its streams within half a minute.
BEATS_BETWEEN_SESSION_CHECKS = 6


class ClusterConsumer(AsyncWebsocketConsumer):
    """What every stream about a cluster does first: tell who it is, and whether they may."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A stream that is not whole is none: the page opens another.
        self.tasks = Tasks(failed=self._broken)
        # Whether changes went by while the page was away, or did not read.
        self.late = False

    async def connect(self) -> None:
        """Accept, so that a refusal can say why, then begin or refuse."""
        await self.accept()
        user: object = self.scope.get("user")
        if not isinstance(user, User) or not user.is_active:
            await self.end(Close.SIGNED_OUT)
            return
        name = str(self.scope["url_route"]["kwargs"]["name"])
        try:
            cluster = await asyncio.to_thread(access.find, gateway(), user, name)
        except Http404:
            await self.end(Close.CLUSTER_GONE)
            return
        except GatewayError as error:
            # The browser tries again by itself, as after a restart.
            await self.send(protocol.encode("status", upstream="down", text=str(error)))
            await self.end(Close.UNREACHABLE)
            return
        await self.begin(user, cluster)

    @abstractmethod
    async def begin(self, user: User, cluster: Cluster) -> None:
        """Start what this stream is for."""

    def _broken(self) -> None:
        self.tasks.start(self.end(Close.BROKEN), "end of a broken stream")

    async def end(self, code: Close) -> None:
        """Close the stream; the server takes plain numbers alone."""
        await self.close(int(code))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take a frame of the page; one that makes no sense is dropped."""
        try:
            frame = orjson.loads(text_data or "")
        except orjson.JSONDecodeError:
            return
        if not isinstance(frame, dict) or "op" not in frame:
            return
        if frame["op"] == "ping":
            await self.send(protocol.encode("pong", t=frame.get("t")))
        else:
            await self.hear(frame)

    async def hear(self, frame: dict[str, Any]) -> None:
        """Take what only some streams understand."""

    async def disconnect(self, code: int) -> None:
        """Stop everything that was started."""
        await self.tasks.stop()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve, and note where the page kept a frame waiting: see playground/pushback.py."""

        async def measured(message: Any) -> None:
            begun = time.monotonic()
            await send(message)
            self.late = self.late or time.monotonic() - begun > LATE_SECONDS

        await super().__call__(scope, receive, measured)

    async def tell_behind(self, by: int) -> None:
        """Tell a page that was late, once, how many revisions it lacks; they follow."""
        if self.late and by > 0:
            await self.send(protocol.encode("behind", by=by))
        self.late = False

    async def still_signed_in(self) -> bool:
        """Tell whether the session that opened this stream exists still."""
        session = self.scope.get("session")
        key: str | None = getattr(session, "session_key", None)
        if session is None or key is None:
            return True
        return bool(await database_sync_to_async(session.exists)(key))

    async def beat(self, revision: Callable[[], int]) -> None:
        """Tell every few seconds where the stream is, while the session that opened it lasts."""
        beats = 0
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            beats += 1
            if beats % BEATS_BETWEEN_SESSION_CHECKS == 0 and not await self.still_signed_in():
                await self.end(Close.SIGNED_OUT)
                return
            await self.send(protocol.encode("beat", rev=revision()))


class TopologyConsumer(ClusterConsumer):
    """The live picture."""

    upstreams: Upstreams = UPSTREAMS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._subscriber = Subscriber()
        self._upstream: Upstream | None = None
        self._seen = 0  # the revision of what the page has
        self._sent = -1  # the number of the last change that the page has; -1: it has nothing
        self._hello: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def begin(self, user: User, cluster: Cluster) -> None:
        """Follow the cluster as the user."""
        identity = access.identity(user, cluster)
        self.tasks.start(self._open(cluster, identity), "topology stream")

    async def _open(self, cluster: Cluster, identity: Identity) -> None:
        """Show the present from now on, or the past that the page asks for."""
        hello = await self._hello
        revision = hello.get("at")
        if isinstance(revision, int) and not isinstance(revision, bool) and revision >= 0:
            await self._show(cluster, identity, revision)
            return
        upstream = self._upstream = self.upstreams.join(cluster, identity, self._subscriber)
        self.tasks.start(self.beat(lambda: upstream.world.revision), "topology beat")
        await self._pump(upstream, hello)

    async def _show(self, cluster: Cluster, identity: Identity, revision: int) -> None:
        """Send the picture of a revision; nothing follows it."""
        try:
            client = self.upstreams.client()
            world, notices = await as_of(client, cluster.name, identity, revision)
        except (Refused, httpx.HTTPError) as error:
            await self.send(protocol.encode("error", code="past", kind="", text=str(error)))
            return
        world.revision = revision
        for notice in notices:
            await self.send(notice)
        await self.send(protocol.snapshot("past", world))

    async def disconnect(self, code: int) -> None:
        """Leave the upstream to whoever else looks at it."""
        await super().disconnect(code)
        if self._upstream is not None:
            self.upstreams.leave(self._upstream, self._subscriber)

    async def hear(self, frame: dict[str, Any]) -> None:
        """Take a hello, once, or the wish for everything again, or to know how busy it is."""
        if frame["op"] == "hello" and not self._hello.done():
            self._hello.set_result(frame)
        elif frame["op"] == "resync":
            self._sent = -1
            self._subscriber.wake.set()
        elif frame["op"] == "activity":
            self._subscriber.activity = frame.get("on") is True
            if self._upstream is not None:
                self._upstream.activity(self._subscriber, wanted=self._subscriber.activity)

    async def _pump(self, upstream: Upstream, hello: dict[str, Any]) -> None:
        """Send what is new whenever there is something, until the cluster is gone."""
        subscriber = self._subscriber
        subscriber.wake.set()
        greeted = False
        while True:
            await subscriber.wake.wait()
            subscriber.wake.clear()
            for notice in subscriber.take():
                await self.send(notice)
            if subscriber.closed is not None:
                await self.end(subscriber.closed)
                return
            if not upstream.ready:
                continue
            if greeted:
                await self._catch_up(upstream)
            else:
                greeted = True
                await self._greet(upstream, hello)

    async def _greet(self, upstream: Upstream, hello: dict[str, Any]) -> None:
        """Decide what a page that comes back needs."""
        number = protocol.parse_cursor(upstream.epoch, hello.get("cursor"))
        seen, now = hello.get("rev"), upstream.world.revision
        covered = number is not None and upstream.world.covers(number)
        if number is not None and covered:
            self._sent = number
        if isinstance(seen, int) and seen < now:
            self._seen, self.late = seen, True
            if not covered:
                await self._gap(seen, now)
        await self._catch_up(upstream)
        # Even a page that missed nothing hears that it is up to date.
        await self.send(protocol.encode("beat", rev=now))

    async def _gap(self, seen: int, now: int) -> None:
        """Tell a page that it will not hear of some revisions one by one: it sees the present."""
        await self.tell_behind(now - seen)
        await self.send(protocol.encode("gap", **{"from": seen}, to=now, skipped=now - seen))
        self._seen, self._sent = now, -1

    async def _catch_up(self, upstream: Upstream) -> None:
        world = upstream.world
        if self._sent >= 0 and not world.covers(self._sent):
            # It reads more slowly than the cluster changes.
            await self._gap(self._seen, world.revision)
        elif self._seen:
            await self.tell_behind(world.revision - self._seen)
        self._seen = world.revision
        if self._sent < 0:
            self._sent = world.number
            await self.send(protocol.snapshot(upstream.epoch, world))
            return
        frame = upstream.frame_after(self._sent)
        if frame is not None:
            self._sent = world.number
            await self.send(frame)
