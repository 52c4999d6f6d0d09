"""What a container has written to stdout and stderr: the last of it, as whole lines with times.

A line may be something that is printed when it is read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple, SupportsBytes

from nodes.runtime.cri import STDERR, STDOUT, LogOptions

# What one container keeps. A real node rotates at 10 MiB; a playground has many more containers.
KEPT_BYTES = 256 * 1024
# Longer lines are split, as runtimes do.
LONGEST_LINE = 16 * 1024
# A line costs about this much beyond its text, and one that is not printed yet in all.
_OVERHEAD, _UNPRINTED = 64, 320


class Line(NamedTuple):
    number: int
    time: int
    stream: int
    text: SupportsBytes
    size: int


class LogRing:
    """One container's log."""

    __slots__ = ("_count", "_kept", "_lines", "_partial", "_size", "_waiters", "closed")

    def __init__(self, kept: int = KEPT_BYTES) -> None:
        """`kept`: how many bytes of lines stay."""
        self._kept = kept
        self._lines: deque[Line] = deque()
        self._partial: dict[int, bytes] = {}
        self._size = 0
        self._count = 0
        self._waiters: list[asyncio.Future[None]] = []
        self.closed = False

    def write(self, time: int, stream: int, data: bytes) -> None:
        """Take output as it comes; `time` is in ns."""
        data = self._partial.pop(stream, b"") + data
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._add(time, stream, line, len(line) + _OVERHEAD)
        while len(rest) >= LONGEST_LINE:
            self._add(time, stream, rest[:LONGEST_LINE], LONGEST_LINE + _OVERHEAD)
            rest = rest[LONGEST_LINE:]
        if rest:
            self._partial[stream] = rest
        self._wake()

    def add(self, time: int, line: SupportsBytes) -> None:
        """Take a whole line of stderr that is printed when it is read."""
        self._add(time, STDERR, line, _UNPRINTED)
        if self._waiters:
            self._wake()

    @property
    def empty(self) -> bool:
        """Nothing has been written yet."""
        return not self._count

    def close(self, time: int) -> None:
        """The container has ended: what was begun is a line too."""
        for stream, rest in self._partial.items():
            self._add(time, stream, rest, len(rest) + _OVERHEAD)
        self._partial.clear()
        self.closed = True
        self._wake()

    def reopen(self) -> None:
        """Nothing to do: the ring rotates by itself."""

    def tail(self, count: int, limit: int) -> bytes:
        """Return the last lines, at most `limit` bytes of them."""
        lines = list(islice(reversed(self._lines), count))
        return b"".join(bytes(line.text) + b"\n" for line in reversed(lines))[-limit:]

    async def read(self, options: LogOptions) -> AsyncIterator[bytes]:
        """Yield what the options ask for."""
        left = options.limit_bytes or None
        position = self._count
        for chosen in self._start(options):
            text = _format(chosen, options)
            if left is not None:
                text, left = text[:left], left - len(text)
            yield text
            if left is not None and left <= 0:
                return
        while options.follow:
            for line in self._after(position):
                position = line.number
                if not _wanted(line, options):
                    continue
                text = _format(line, options)
                if left is not None:
                    text, left = text[:left], left - len(text)
                yield text
                if left is not None and left <= 0:
                    return
            if self.closed and position >= self._count:
                return
            await self._changed(position)

    def _start(self, options: LogOptions) -> list[Line]:
        lines = [line for line in self._lines if _wanted(line, options)]
        if options.tail_lines >= 0:
            lines = lines[len(lines) - min(options.tail_lines, len(lines)) :]
        return lines

    def _after(self, number: int) -> Iterator[Line]:
        missing = min(len(self._lines), self._count - number)
        return iter(list(islice(self._lines, len(self._lines) - missing, None)))

    def _add(self, time: int, stream: int, text: SupportsBytes, size: int) -> None:
        self._count += 1
        self._lines.append(Line(self._count, time, stream, text, size))
        self._size += size
        while self._size > self._kept:
            self._size -= self._lines.popleft().size

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _changed(self, position: int) -> None:
        if self._count > position or self.closed:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiters:  # who reads has left
                self._waiters.remove(waiter)


def _wanted(line: Line, options: LogOptions) -> bool:
    if options.since and line.time < options.since:
        return False
    return not (
        (options.stream == "Stdout" and line.stream != STDOUT)
        or (options.stream == "Stderr" and line.stream != STDERR)
    )


def _format(line: Line, options: LogOptions) -> bytes:
    text = bytes(line.text)
    if not options.timestamps:
        return text + b"\n"
    return f"{rfc3339_nano(line.time)} ".encode() + text + b"\n"


def rfc3339_nano(time: int) -> str:
    """Print nanoseconds since the epoch as Go's RFC3339Nano with all nine digits."""
    seconds, fraction = divmod(time, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"
