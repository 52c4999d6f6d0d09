"""A watch as an HTTP body: frames as they come, joined into as few chunks as possible.

- Initial objects first if asked for, then every event after them, in order.
- A client that reads too slowly is ended with 410 Expired; it is never sent a stream with a hole.
- What lies before the window is read of the log page by page, each once the last was taken: who
  comes back from far costs no more memory than who follows.
- A revision that is no longer kept ends the stream with the same error, as its only frame.
- A bookmark about once a minute, and 2 seconds before a timeout, if the client allows them.

An idle stream holds a subscription and a timer. Awaiting the next chunk costs one future.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from apimachinery.clock import Clock, Timer
from apimachinery.errors import ApiError, Expired, ServiceUnavailable
from apiserver.storage import (
    ClusterStore,
    Compacted,
    Entry,
    Event,
    Selector,
    StorageError,
    Subscription,
)
from apiserver.watch.formats import Format
from apiserver.watch.selection import Selection

logger = logging.getLogger(__name__)

# What may wait for a client that does not read. 1,000 events are a rollout of 100 pods; the bytes
# bound what a client can hold in memory with large objects.
BACKLOG_EVENTS = 1000
BACKLOG_BYTES = 8 * 1024 * 1024
# Initial objects a chunk: 64 pods are 300 KB, and other streams get their turn in between.
INITIAL_CHUNK = 64
BOOKMARK_EVERY = 60.0
BOOKMARK_BEFORE_TIMEOUT = 2.0

# Returns entries in another version.
Show = Callable[[Sequence[Entry]], Awaitable[Sequence[Entry]]]
TOO_SLOW = "The resourceVersion for the provided watch is too old."


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """What a client asks to see.

    `after` is the revision to go on from; None is the present. `initial` sends first what is
    there, as ADDED, whatever `after` is; `initial_end` then sends the bookmark that says so.
    """

    resource: str
    namespace: str | None = None
    selector: Selector | None = None
    exact: tuple[str, str] | None = None
    after: int | None = None
    initial: bool = False
    initial_end: bool = False
    bookmarks: bool = False
    timeout: float | None = None
    # Whose watch it is.
    who: str = ""


async def open_watch(
    store: ClusterStore,
    options: WatchOptions,
    encoding: Format,
    clock: Clock,
    show: Show | None = None,
) -> Watch:
    """Subscribe, and return the stream. A revision too old is told in the stream.

    `show` returns entries in the version that the client asked for, where that takes time.
    """
    watch = Watch(store, options, encoding, clock, show)
    try:
        await watch.start()
    except Compacted as gone:
        watch.fail(Expired(str(gone)))
    return watch


class Watch:
    """An async iterator of chunks. It closes itself at its end; `close` it to leave early."""

    def __init__(
        self,
        store: ClusterStore,
        options: WatchOptions,
        encoding: Format,
        clock: Clock,
        show: Show | None = None,
    ) -> None:
        self._store = store
        self._options = options
        self._encoding = encoding
        self._clock = clock
        self._show = show
        self._initial: Iterator[Entry] | None = None
        self._initial_shown = self._initial_end = False
        self._events: list[Event] = []
        self._bytes = 0
        self._bookmark_due = False
        self._last: bytes | None = None
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None
        self._subscription: Subscription | None = None
        self._timers: dict[str, Timer] = {}
        self._deadline: float | None = None
        self._start = store.revision if options.after is None else options.after
        # Why it ended, where that is an error.
        self.failure: ApiError | None = None

    async def start(self) -> None:
        """Subscribe from where the options say. Raises Compacted."""
        options = self._options
        if options.initial:
            self._start = self._store.revision
            selection = Selection(options.namespace, options.exact, options.selector)
            found = self._store.list(options.resource, options.namespace)
            self._initial = filter(selection.matches, found)
            self._initial_end = options.initial_end
        self._subscription = self._store.hub.follow(
            options.resource,
            after=self._start,
            sink=self._receive,
            closed=self._finish,
            namespace=options.namespace,
            selector=options.selector,
            exact=options.exact,
        )
        self._subscription.who = options.who
        if self._ended:
            self._finish()
            return
        if options.timeout is not None:
            if options.timeout <= 0:
                self._finish()
                return
            self._deadline = self._clock.seconds() + options.timeout
            self._timers["end"] = self._clock.call_later(options.timeout, self._finish)
        if options.bookmarks:
            self._arm_bookmark()

    @property
    def content_type(self) -> str:
        """The media type of the whole stream."""
        return self._encoding.content_type

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> bytes:
        try:
            while True:
                await self._read_on()
                if self._show is not None:
                    await self._convert(self._show)
                if (chunk := self._take()) or self._ended:
                    break
                if not self._behind:
                    self._waiter = asyncio.get_running_loop().create_future()
                    await self._waiter
        except BaseException:
            self.close()
            raise
        if chunk:
            return chunk
        self.close()
        raise StopAsyncIteration

    def fail(self, error: ApiError) -> None:
        """End with an error, after what has come already."""
        self.failure = error
        self._last = self._encoding.error(error)
        self._finish()

    def close(self) -> None:
        """End at once; nothing more is sent."""
        self._finish()
        self._events.clear()
        self._initial = self._last = None

    async def _read_on(self) -> None:
        """Read the next page of the log, once all before it is taken."""
        subscription = self._subscription
        if subscription is None or not subscription.behind:
            return
        if self._initial is not None or self._events:
            return
        try:
            await self._store.hub.read_on(subscription)
        except Compacted as gone:
            self.fail(Expired(str(gone)))
        except StorageError as error:
            self.fail(ServiceUnavailable(f"storage: {error}"))

    @property
    def _behind(self) -> bool:
        return self._subscription is not None and self._subscription.behind

    async def _convert(self, show: Show) -> None:
        """Have all that is to be sent in the right version; what cannot be ends the stream."""
        try:
            if self._initial is not None and not self._initial_shown:
                self._initial = iter(await show(list(self._initial)))
                self._initial_shown = True
            done = 0
            # More may come in the meantime.
            while done < len(self._events):
                fresh = self._events[done:]
                entries = await show([event.entry for event in fresh])
                self._events[done : done + len(fresh)] = [
                    Event(event.type, event.revision, entry, event.previous)
                    for event, entry in zip(fresh, entries, strict=True)
                ]
                done += len(fresh)
        except ApiError as error:
            self._events.clear()
            self._initial = None
            self.fail(error)

    def _take(self) -> bytes:
        """Encode what is to be sent now."""
        if self._initial is not None:
            chunk = [
                Event("ADDED", e.revision, e, None) for e in islice(self._initial, INITIAL_CHUNK)
            ]
            if chunk:
                return b"".join(map(self._encoding.event, chunk))
            self._initial = None
        frames = []
        if self._initial_end:
            self._initial_end = False
            frames.append(self._encoding.bookmark(self._start, True))
        if self._events:
            events, self._events, self._bytes = self._events, [], 0
            frames += map(self._encoding.event, events)
        if self._bookmark_due and not self._behind:
            self._bookmark_due = False
            frames += self._bookmark()
        if self._last is not None:
            frames.append(self._last)
            self._last = None
        return frames[0] if len(frames) == 1 else b"".join(frames)

    def _bookmark(self) -> list[bytes]:
        # Nothing is pending, so all up to the store's revision has been sent; unless the client
        # waits for a revision to come, which a bookmark must not take back.
        revision = self._store.revision
        return [self._encoding.bookmark(revision, False)] if revision >= self._start else []

    def _receive(self, events: Sequence[Event]) -> None:
        self._events += events
        for event in events:
            self._bytes += len(event.entry.raw)
        if len(self._events) > BACKLOG_EVENTS or self._bytes > BACKLOG_BYTES:
            self._overflow()
        self._wake()

    def _overflow(self) -> None:
        logger.info("watch: a slow client is cut off", extra={"resource": self._options.resource})
        self.fail(Expired(TOO_SLOW))

    def _finish(self, _reason: str = "") -> None:
        """Take no more; what has come is still sent."""
        self._ended = True
        if self._subscription is not None:
            self._subscription.cancel()
            self._subscription = None
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None:
            if not self._waiter.done():
                self._waiter.set_result(None)
            self._waiter = None

    def _arm_bookmark(self) -> None:
        delay = BOOKMARK_EVERY
        if self._deadline is not None:
            left = self._deadline - self._clock.seconds() - BOOKMARK_BEFORE_TIMEOUT
            if left <= 0:
                return
            delay = min(delay, left)
        self._timers["bookmark"] = self._clock.call_later(delay, self._bookmark_now)

    def _bookmark_now(self) -> None:
        self._bookmark_due = True
        self._wake()
        self._arm_bookmark()
