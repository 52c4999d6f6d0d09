"""The changes of one list, followed once for all pages of equal scope.

Pages that ask for the same list, and may read the same, share one watch, one short log of rows, and
the text of each batch. A page is at a place of that log; changes of one object between two looks
are one. A page that is further behind than the log reads the list anew, and is told so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple

import httpx
import orjson

from playground.objects import rows
from playground.sandboxes.gateway import Refused
from playground.tasks import Tasks, announce
from playground.topology import protocol
from playground.topology.reflector import FIRST_WAIT, LONGEST_WAIT, Expired, check, events

WATCH_SECONDS = 600
WATCH_TIMEOUT = httpx.Timeout(10.0, read=WATCH_SECONDS + 30)
# Twenty seconds at 200 changes a second; some 2 MB of pods.
KEPT = 4000
# What passes by itself: the watch is opened again.
PASSES = (429, 500, 503, 504)


class Change(NamedTuple):
    """A row as it is from a revision on; None where the object is gone."""

    revision: int
    uid: str
    row: rows.Row | None


@dataclass(slots=True, eq=False)
class Reader:
    """A page of the feed: where it is, and how it is woken."""

    revision: int
    number: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Feed:
    """Follows one list from a revision on."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        params: Mapping[str, str],
        headers: httpx.Headers,
        revision: int,
    ) -> None:
        self._client, self._url, self._params, self._headers = client, url, params, headers
        # It has every change after `_oldest`, up to `revision`; `number` counts them.
        self._oldest = self.revision = revision
        self.number = 0
        self._log: deque[Change] = deque()
        self.readers: set[Reader] = set()
        # Why the watch is away for now, and why it has ended for good.
        self.trouble = ""
        self.open = False
        self.ended: Refused | Expired | None = None
        self._some = asyncio.Event()
        self._frame: tuple[int, int, str] = (-1, -1, "")
        self.tasks = Tasks()

    def start(self) -> None:
        """Begin to follow."""
        self.tasks.serve(self._follow, "watch of a list")
        self.tasks.serve(partial(announce, self._some, self._wake), "changes of a list")

    def covers(self, reader: Reader) -> bool:
        """Tell whether every change after the reader's revision is known."""
        return reader.revision >= self._oldest

    def place(self, reader: Reader) -> None:
        """Put a new reader where it has everything before; it may hear of what it has again."""
        later = sum(change.revision > reader.revision for change in self._log)
        reader.number = self.number - later

    def after(self, reader: Reader) -> str:
        """Return the batch after a reader's place and move it on; empty if nothing is new.

        Readers at the live edge ask for the same one, so the last is kept. Raises Expired where
        the log no longer has all of it.
        """
        number, reader.number = reader.number, self.number
        if number == self.number:
            return ""
        if self.number - number > len(self._log):
            raise Expired
        if self._frame[:2] != (number, self.number):
            last = {
                change.uid: change.row
                for change in islice(self._log, number - self.number + len(self._log), None)
            }
            changed = [uid if row is None else row for uid, row in last.items()]
            text = protocol.encode("batch", rev=self.revision, ev=changed)
            self._frame = (number, self.number, text)
        return self._frame[2]

    async def _follow(self) -> None:
        """Watch until it ends: refused, or with a place that the API no longer knows."""
        wait = FIRST_WAIT
        while self.ended is None:
            try:
                await self._watch()
                wait = FIRST_WAIT
                continue
            except Expired as expired:
                self.ended = expired
            except Refused as error:
                if error.code == httpx.codes.GONE:
                    self.ended = Expired()
                elif error.code not in PASSES:
                    self.ended = error
                self.trouble = error.message
            except (httpx.HTTPError, orjson.JSONDecodeError) as error:
                self.trouble = str(error) or type(error).__name__
            self._wake()
            await asyncio.sleep(wait)
            wait = min(wait * 1.7, LONGEST_WAIT)

    async def _watch(self) -> None:
        asked = {
            **self._params,
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": str(self.revision),
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        async with self._client.stream(
            "GET", self._url, params=asked, headers=self._headers, timeout=WATCH_TIMEOUT
        ) as response:
            await check(response)
            self.trouble, self.open = "", True
            self._wake()
            async for type_, item in events(response):
                self._take(type_, item)

    def _take(self, type_: str, item: Mapping[str, object]) -> None:
        revision = self.revision = max(self.revision, rows.revision(item))
        if type_ == "BOOKMARK":
            return
        for row in rows.rows(item):
            if len(self._log) >= KEPT:
                self._oldest = self._log.popleft().revision
            self._log.append(Change(revision, row[0], None if type_ == "DELETED" else row))
            self.number += 1
        self._some.set()

    def _wake(self) -> None:
        for reader in self.readers:
            reader.wake.set()


class Feeds:
    """The feeds of the process."""

    def __init__(self) -> None:
        self._open: dict[object, Feed] = {}
        self._ends = Tasks()

    def __iter__(self) -> Iterator[Feed]:
        return iter(list(self._open.values()))

    def join(
        self,
        client: httpx.AsyncClient,
        url: str,
        params: Mapping[str, str],
        headers: httpx.Headers,
        sight: Hashable,
        reader: Reader,
    ) -> Feed:
        """Return a feed of the list that has all that the reader lacks, started if need be.

        `headers` are of one who may read what `sight` stands for.
        """
        key = (id(client), url, *sorted(params.items()), sight)
        feed = self._open.get(key)
        if feed is None or feed.ended is not None or not feed.covers(reader):
            feed = self._open[key] = Feed(client, url, params, headers, reader.revision)
            feed.start()
        feed.place(reader)
        feed.readers.add(reader)
        return feed

    def leave(self, feed: Feed, reader: Reader) -> None:
        """Take a page off; the last one ends the feed."""
        feed.readers.discard(reader)
        if feed.readers:
            return
        for key in [key for key, known in self._open.items() if known is feed]:
            del self._open[key]
        self._ends.start(feed.tasks.stop(), "end of a feed")


FEEDS = Feeds()
