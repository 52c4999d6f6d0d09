"""The way to an interpreter: a process of its own, and a socket to it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, cast

from nodes.runtime.simulated.shell.wire import BadFrame, Decoder, Head, encode

_ROOT = Path(__file__).parents[4]
_MODULE = "nodes.runtime.simulated.shell.host"
# Threads and their stacks count against the address space, whatever the machine has of cores.
_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "2",
    "TOKIO_WORKER_THREADS": "2",
    "RUST_MIN_STACK": str(8 * 1024 * 1024),
    "PYTHONDONTWRITEBYTECODE": "1",
}

Receive = Callable[[Head, bytes], None]


class Link(Protocol):
    """The way to one interpreter. Once it is lost nothing more comes."""

    def send(self, head: Head, body: bytes) -> None: ...

    def end(self) -> None:
        """End the interpreter, and all that runs in it."""

    async def settle(self) -> None:
        """Return once it has ended."""


Connect = Callable[[Receive, Callable[[], None]], Awaitable[Link]]


async def own_process(receive: Receive, lost: Callable[[], None]) -> Link:
    """Start an interpreter in a process of its own."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    try:
        # A fork of a large process takes milliseconds: not in the event loop.
        process = await loop.run_in_executor(None, _start, theirs)
    except BaseException:
        ours.close()
        raise
    _, link = await loop.create_unix_connection(lambda: _Process(process, receive, lost), sock=ours)
    return link


def _start(connection: socket.socket) -> subprocess.Popen[bytes]:
    # It is closed here, in the same thread: its number would be another file's by then.
    with connection:
        number = str(connection.fileno())
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-E", "-s", "-m", _MODULE, number],
            cwd=_ROOT,
            env=_ENVIRONMENT,
            pass_fds=[connection.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("KUBEGROUND_DEBUG_SHELLS") else subprocess.DEVNULL,
            start_new_session=True,
        )


class _Process(asyncio.Protocol):
    def __init__(
        self, process: subprocess.Popen[bytes], receive: Receive, lost: Callable[[], None]
    ) -> None:
        self._process = process
        self._receive = receive
        self._lost = lost
        self._decoder = Decoder()
        self._transport: asyncio.WriteTransport | None = None
        self._reaped: asyncio.Future[int] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    # -- Link ------------------------------------------------------------------------------------

    def send(self, head: Head, body: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode(head, body))

    def end(self) -> None:
        if self._reaped is None:
            self._process.kill()
        if self._transport is not None:
            self._transport.abort()

    async def settle(self) -> None:
        self._reap()
        if self._reaped is not None:
            await asyncio.wait([self._reaped])

    # -- Protocol --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every loop's transports are of asyncio's own classes.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            for head, body in self._decoder.feed(data):
                self._receive(head, body)
        except (BadFrame, KeyError, TypeError, ValueError):
            # It does not keep to the protocol any more, so it is not ours any more.
            self.end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._process.kill()
        self._reap()
        self._lost()

    def _reap(self) -> None:
        if self._reaped is None:
            loop = asyncio.get_running_loop()
            self._reaped = loop.run_in_executor(None, self._process.wait)
