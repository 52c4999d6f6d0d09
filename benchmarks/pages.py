"""A hundred pages of one cluster while it changes: how late each of them is, and what that takes.

The site, the worker and SQLite are real; the pages are websockets without a browser, half of them
topologies and half of them lists of pods. Another process changes labels at a steady rate, then as
fast as it can. One page more of each sort reads slowly then: it is told what it missed.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from itertools import count
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.idle import processor_seconds, resident
from benchmarks.load import Asking, unverified
from benchmarks.result import Row
from benchmarks.serving import PODS, cluster, instance, pod
from tests.support.server import Playground
from tests.support.shells import Visitor, operator

PAGES, STAYING, THERE = 100, 20, 1000
RATE, SECONDS = 200, 20
EVENTS, WARM, ASKERS = 100_000, 20_000, 8
TARGET_MS, SITE_MB, WORKER_MB = 150.0, 10.0, 20.0
KINDS = ("topology", "list")
# A slow page takes so many frames a second, and its kernel keeps little of what it does not take.
SLOW, SMALL_BUFFER = 2.0, 32 * 1024
# A hundred pages that hear a beat take a tenth of a core at the most.
_REST, _LONGEST_REST = 0.15, 30.0
_MARK = re.compile(r'mark":"(\d+)')


@dataclass(slots=True)
class Page:
    """One page: when it saw each change."""

    kind: str
    seen: dict[int, float] = field(default_factory=dict)
    slow: bool = False
    gaps: int = 0
    lost: str = ""  # why it was disconnected

    async def read(self, socket: ClientConnection) -> None:
        try:
            await self._read(socket)
        except ConnectionClosed as closed:
            self.lost = f"a {self.kind}: {closed}"

    async def _read(self, socket: ClientConnection) -> None:
        async for text in socket:
            assert isinstance(text, str)
            if text.startswith('{"op":"gap"'):
                self.gaps += 1
            elif self.slow:
                await asyncio.sleep(1 / SLOW)
            else:
                now = time.perf_counter()
                for mark in _MARK.findall(text):
                    self.seen.setdefault(int(mark), now)


def pages() -> list[Row]:
    """Look with a hundred pages at 200 changes a second; then pass 100,000 changes through."""
    with (
        instance("--template", "bare") as running,
        operator(running) as visitor,
        cluster(running, "seen", 0) as client,
    ):
        for number in range(THERE):
            client.post(PODS, json=pod(f"pod-{number}")).raise_for_status()
        return uvloop.run(_pages(running, visitor))


async def _pages(running: Playground, visitor: Visitor) -> list[Row]:
    site, worker = running.child("playground.site"), running.child("playground.worker")
    looking = [Page(KINDS[number % 2]) for number in range(PAGES)]
    opened = [await open_page(visitor, page) for page in looking]
    await _rest(site)
    before = processor_seconds(site), processor_seconds(worker)
    sent = await _told(_change, running, RATE * SECONDS)
    used = (processor_seconds(site) - before[0], processor_seconds(worker) - before[1])
    await _rest(site)
    note = ", ".join(
        f"{name} {share / SECONDS * 100:.0f} % of a core"
        for name, share in zip(("site", "worker"), used, strict=True)
    )
    rows = [
        Row(
            f"{PAGES} pages, {RATE} changes/s: the latest {kind}, p95",
            max(_late(page, sent) for page in looking if page.kind == kind),
            TARGET_MS,
            "ms",
            note=note,
        )
        for kind in KINDS
    ]
    slow = [Page(kind, slow=True) for kind in KINDS]
    opened += [await open_page(visitor, page, buffer=SMALL_BUFFER) for page in slow]
    # Whoever looks takes more of the machine than who is looked at: a few are enough from here on.
    await _close(opened[STAYING:PAGES])
    await _told(_change_fast, running, WARM)
    first = resident(site), resident(worker)
    await _told(_change_fast, running, EVENTS - WARM)
    grown = resident(site) - first[0], resident(worker) - first[1]
    lost = [page.lost for page in [*looking[:STAYING], *slow] if page.lost]
    await _close(opened)
    told = " and ".join(f"{page.gaps} of a {page.kind}" for page in slow)
    return [
        *rows,
        Row(
            f"{EVENTS:,} changes: growth of the site after the first {WARM:,}",
            grown[0],
            SITE_MB,
            "MB",
            note=f"gaps told: {told}; {len(lost)} pages lost{': ' * bool(lost)}{', '.join(lost)}",
        ),
        Row("the same, growth of the worker", grown[1], WORKER_MB, "MB"),
    ]


async def _close(opened: Iterable[tuple[asyncio.Task[None], ClientConnection]]) -> None:
    for task, connection in opened:
        task.cancel()
        # A page that has not read everything would not hear the other side's goodbye.
        connection.transport.abort()


def _late(page: Page, sent: dict[int, float]) -> float:
    """Return the 95th percentile of the milliseconds that changes took to a page."""
    never = float("inf")
    waits = sorted((page.seen.get(number, never) - at) * 1e3 for number, at in sent.items())
    return waits[int(len(waits) * 0.95)]


async def _rest(site: int) -> None:
    """Wait until the site has read and sent what it had to."""
    last, now = -1.0, processor_seconds(site)
    end = time.monotonic() + _LONGEST_REST
    while now - last > _REST and time.monotonic() < end:
        await asyncio.sleep(1)
        last, now = now, processor_seconds(site)


async def open_page(
    visitor: Visitor, page: Page, buffer: int = 0, cluster: str = "seen"
) -> tuple[asyncio.Task[None], ClientConnection]:
    base = visitor.site.replace("http", "ws", 1) + f"/ws/clusters/{cluster}/"
    where = urlsplit(visitor.site)
    own = socket.socket()
    if buffer:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    own.connect((where.hostname, where.port))
    connection = await connect(
        base + ("" if page.kind == "topology" else f"list/?path={PODS}"),
        sock=own,
        additional_headers={"Cookie": visitor.cookie},
        origin=visitor.site,  # type: ignore[arg-type]
        # A frame of a few hundred bytes would keep nobody waiting.
        compression=None if page.slow else "deflate",
        max_size=None,
        ping_interval=None,
    )
    await connection.send(json.dumps({"op": "hello", "v": 1, "cursor": None, "rev": None}))
    return asyncio.create_task(page.read(connection)), connection


# -- those who change, in processes of their own -------------------------------------------------


async def _told(change: Callable[..., None], running: Playground, number: int) -> Any:
    """Have another process change pods; return what it tells in the end."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=change, args=(theirs, running.api, running.token, number), daemon=True
    )
    process.start()
    theirs.close()
    try:
        while not ours.poll():  # noqa: ASYNC110 - it may be ended meanwhile, unlike a thread
            await asyncio.sleep(0.1)
        return ours.recv()
    finally:
        process.terminate()
        process.join()


def _path(number: int) -> str:
    return f"/clusters/seen{PODS}/pod-{number % THERE}"


def _headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/merge-patch+json",
    }


def _body(number: int) -> str:
    return json.dumps({"metadata": {"labels": {"mark": str(number)}}})


def _change(answer: Connection, api: str, token: str, number: int) -> None:
    base = urlsplit(api)
    connection = HTTPSConnection(base.hostname or "", base.port, context=unverified())
    sent = {}
    begun = time.perf_counter()
    for each in range(number):
        if (left := begun + each / RATE - time.perf_counter()) > 0:
            time.sleep(left)
        sent[each] = time.perf_counter()
        connection.request("PATCH", _path(each), _body(each), _headers(token))
        response = connection.getresponse()
        response.read()
        if response.status != httpx.codes.OK:
            raise RuntimeError(response.status)
    answer.send(sent)


class _Changing(Asking):
    """A connection that patches the next pod whenever the last was answered."""

    def __init__(self, numbers: Iterator[int], host: str, token: str) -> None:
        super().__init__(b"", 0.0)
        self._numbers, self._host, self._token = numbers, host, token

    def request(self) -> bytes:
        number = next(self._numbers)
        self._until = time.perf_counter() + 1e6 if number >= 0 else 0.0
        body = _body(max(number, 0)).encode()
        lines = [
            f"PATCH {_path(number)} HTTP/1.1",
            f"Host: {self._host}",
            *(f"{name}: {value}" for name, value in _headers(self._token).items()),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _change_fast(answer: Connection, api: str, token: str, number: int) -> None:
    uvloop.run(_change_all(api, token, number))
    answer.send(True)


async def _change_all(api: str, token: str, number: int) -> None:
    base = urlsplit(api)
    numbers = (each if each < number else -1 for each in count(1))
    loop, context = asyncio.get_running_loop(), unverified()
    changing = []
    for _ in range(ASKERS):
        _, one = await loop.create_connection(
            lambda: _Changing(numbers, base.netloc, token), base.hostname, base.port, ssl=context
        )
        changing.append(one)
    await asyncio.gather(*(one.closed for one in changing))
    if failed := sum(one.failed for one in changing):
        raise RuntimeError(f"{failed} changes failed")
