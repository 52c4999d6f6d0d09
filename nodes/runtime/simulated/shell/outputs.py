"""What one run prints, on its way out: gathered for a moment, and never more than a window ahead.

Complaints have a budget that fills up again with time, so that a fork bomb's thousands of lines do
not drown a terminal, while a server that logs to stderr is never cut.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from nodes.runtime.simulated.shell.wire import Send

# What may be on its way without having been taken.
WINDOW = 128 * 1024
_CHUNK = 64 * 1024
# Bytes of stderr at once, and bytes that come on top each second: some 800 lines, then 200 more.
_COMPLAINTS = 64 * 1024
_COMPLAINTS_A_SECOND = 16 * 1024


class Output:
    """Both streams of one run."""

    def __init__(self, run: int, send: Send, linger: float, before: Callable[[], None]) -> None:
        """`before` is called ahead of all that is sent."""
        self.run = run
        self._send = send
        self._linger = linger
        self._before = before
        self._loop = asyncio.get_running_loop()
        self._parts: list[tuple[int, bytes]] = []
        self._size = 0
        self._timer: asyncio.Handle | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._complaints = float(_COMPLAINTS)
        self._counted = time.monotonic()
        self._left_out = 0
        # Whether the last complaint that was sent has stopped within a line.
        self._in_line = False

    async def out(self, data: bytes) -> None:
        await self._put(1, data)

    async def err(self, data: bytes) -> None:
        now = time.monotonic()
        gained = (now - self._counted) * _COMPLAINTS_A_SECOND
        self._complaints, self._counted = min(_COMPLAINTS, self._complaints + gained), now
        if self._complaints < len(data):
            self._left_out += len(data)
            return
        self._complaints -= len(data)
        self._say_left_out()
        self._in_line = not data.endswith(b"\n")
        await self._put(2, data)

    def taken(self, size: int) -> None:
        """The other side has taken so many bytes."""
        self._size -= size
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def flush(self) -> None:
        """Send what there is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._parts:
            return
        self._before()
        parts, self._parts = self._parts, []
        start = 0
        for at, (stream, _) in enumerate(parts):
            if at + 1 == len(parts) or parts[at + 1][0] != stream:
                data = b"".join(part for _, part in parts[start : at + 1])
                self._send({"op": "out", "run": self.run, "stream": stream}, data)
                start = at + 1

    def end(self) -> None:
        """Send the rest."""
        self._say_left_out()
        self.flush()

    def _say_left_out(self) -> None:
        if self._left_out:
            start = "\n" if self._in_line else ""
            text = f"{start}sh: {self._left_out} bytes of error messages left out\n"
            self._parts.append((2, text.encode()))
            self._size += len(text)
            self._left_out = 0

    async def _put(self, stream: int, data: bytes) -> None:
        for at in range(0, len(data), _CHUNK):
            part = data[at : at + _CHUNK]
            while self._size > WINDOW:
                self.flush()
                waiter = self._loop.create_future()
                self._waiters.append(waiter)
                await waiter
            self._parts.append((stream, part))
            self._size += len(part)
            if self._size > _CHUNK:
                self.flush()
            elif self._timer is None:
                later = self._loop.call_later if self._linger else None
                self._timer = (
                    later(self._linger, self.flush) if later else self._loop.call_soon(self.flush)
                )
