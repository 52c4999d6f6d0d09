"""What goes into a process and comes out of it: bounded, so that nobody can fill the memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from nodes.runtime.cri import STDOUT

# Output that a client has not read yet: beyond this its program waits.
QUEUE_BYTES = 256 * 1024


class Sink(Protocol):
    """Where output goes. `put` never waits; `drain` waits while there is too much."""

    def put(self, stream: int, data: bytes) -> None: ...

    async def drain(self) -> None: ...


class OutputQueue:
    """Output on its way to one client."""

    __slots__ = ("_chunks", "_drop", "_ended", "_size", "_waiters")

    def __init__(self, *, drop: bool = False) -> None:
        """`drop`: lose the oldest output of a slow client, instead of letting drain() wait."""
        self._chunks: deque[tuple[int, bytes]] = deque()
        self._size = 0
        self._ended = False
        self._drop = drop
        self._waiters: list[asyncio.Future[None]] = []

    def put(self, stream: int, data: bytes) -> None:
        if self._ended or not data:
            return
        self._chunks.append((stream, data))
        self._size += len(data)
        # A server that prints without waiting may not fill the memory either.
        while self._size > QUEUE_BYTES * (1 if self._drop else 4):
            self._size -= len(self._chunks.popleft()[1])
        self._wake()

    async def drain(self) -> None:
        while self._size > QUEUE_BYTES and not self._ended and not self._drop:
            await self._changed()

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._wake()

    async def chunks(self) -> AsyncIterator[tuple[int, bytes]]:
        while True:
            while self._chunks:
                stream, data = self._chunks.popleft()
                self._size -= len(data)
                self._wake()
                yield stream, data
            if self._ended:
                return
            await self._changed()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _changed(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter


class TtySink:
    """Output of a process with a terminal: one stream, lines ended as terminals end them."""

    __slots__ = ("_out",)

    def __init__(self, out: Sink) -> None:
        self._out = out

    def put(self, stream: int, data: bytes) -> None:
        self._out.put(STDOUT, data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    async def drain(self) -> None:
        await self._out.drain()


class Collector:
    """Output of an ExecSync: kept up to a limit, the rest is dropped."""

    __slots__ = ("_left", "parts")

    def __init__(self, limit: int = 1024 * 1024) -> None:
        self.parts: dict[int, list[bytes]] = {1: [], 2: []}
        self._left = limit

    def put(self, stream: int, data: bytes) -> None:
        data = data[: max(0, self._left)]
        self._left -= len(data)
        if data:
            self.parts[stream].append(data)

    async def drain(self) -> None:
        return
