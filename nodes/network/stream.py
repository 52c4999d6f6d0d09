"""A connection in memory: two ends, each a bounded queue of bytes with backpressure."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

# What one direction holds before a writer waits: as a small socket buffer.
BUFFER = 64 * 1024


class ByteStream(Protocol):
    """One end of a connection."""

    async def read(self, limit: int = BUFFER) -> bytes:
        """Return some bytes, waiting for the first; b"" once the other side has closed."""

    async def write(self, data: bytes) -> None:
        """Send all, waiting while the other side does not read. BrokenPipeError if it left."""

    def close_write(self) -> None:
        """Say that nothing more will be sent; reading goes on."""

    def close(self) -> None:
        """Give up both directions."""


class _Pipe:
    """One direction."""

    __slots__ = ("_chunks", "_size", "_waiters", "eof", "reader_gone")

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._waiters: list[asyncio.Future[None]] = []
        self.eof = False
        self.reader_gone = False

    def wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _changed(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    async def read(self, limit: int) -> bytes:
        while not self._chunks:
            if self.eof or self.reader_gone:
                return b""
            await self._changed()
        chunk = self._chunks.popleft()
        if len(chunk) > limit:
            self._chunks.appendleft(chunk[limit:])
            chunk = chunk[:limit]
        self._size -= len(chunk)
        self.wake()
        return chunk

    async def write(self, data: bytes) -> None:
        start = 0
        while start < len(data):
            while self._size >= BUFFER and not self.reader_gone and not self.eof:
                await self._changed()
            if self.reader_gone or self.eof:
                raise BrokenPipeError("the connection is closed")
            chunk = bytes(data[start : start + BUFFER - self._size])
            start += len(chunk)
            self._chunks.append(chunk)
            self._size += len(chunk)
            self.wake()

    def finish(self) -> None:
        self.eof = True
        self.wake()

    def abandon(self) -> None:
        self.reader_gone = True
        self._chunks.clear()
        self._size = 0
        self.wake()


class Stream:
    """One end of a connection in memory; keeps ByteStream."""

    __slots__ = ("_inward", "_outward", "local", "remote")

    def __init__(self, inward: _Pipe, outward: _Pipe, local: Address, remote: Address) -> None:
        self._inward = inward
        self._outward = outward
        self.local = local
        self.remote = remote

    async def read(self, limit: int = BUFFER) -> bytes:
        return await self._inward.read(limit)

    async def write(self, data: bytes) -> None:
        if self._outward.eof or self._outward.reader_gone:
            raise BrokenPipeError("the connection is closed")
        await self._outward.write(data)

    def close_write(self) -> None:
        self._outward.finish()

    def close(self) -> None:
        self._outward.finish()
        self._inward.abandon()

    @property
    def closed(self) -> bool:
        """Whether both directions have ended."""
        return self._outward.eof and (self._inward.eof or self._inward.reader_gone)


Address = tuple[str, int]


def stream_pair(client: Address, server: Address) -> tuple[Stream, Stream]:
    """Return the two ends of a new connection: the client's, the server's."""
    there, back = _Pipe(), _Pipe()
    return Stream(back, there, client, server), Stream(there, back, server, client)


async def read_until(stream: ByteStream, mark: bytes, limit: int) -> tuple[bytes, bytes]:
    """Read up to and with `mark`; return that and what came after it. ValueError beyond `limit`."""
    data = b""
    while (at := data.find(mark)) < 0:
        if len(data) > limit:
            raise ValueError("the message is too long")
        chunk = await stream.read()
        if not chunk:
            return data, b""
        data += chunk
    end = at + len(mark)
    return data[:end], data[end:]
