"""The launcher as the event loop sees it: start a program, write to it, read from it, end it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.shells.launcher import LARGEST
from playground.shells.spawn import Order, resize

log = logging.getLogger("kubeground.shells")

_ROOT_OF_SOURCES = Path(__file__).resolve().parents[2]
# A machine under load may take seconds for what takes 20 ms.
_START_SECONDS = 15.0
_READ = 32 * 1024


class LaunchError(Exception):
    """A program could not be started; the text says why, in the system's words."""


class Launching:
    """Keeps one launcher; one that ends is started again with the next order."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._exits: dict[int, asyncio.Future[int]] = {}
        self._number = 0
        self._starting = asyncio.Lock()

    async def prepare(self, ca_certificate: Path) -> dict[str, Any]:
        """Return where the root directory of sandboxes is, or what is missing for one."""
        return await self._ask("prepare", ca=str(ca_certificate))

    async def home(self, key: str, uid: int) -> str:
        """Return a home directory. Raises LaunchError."""
        return str((await self._ask("home", key=key, uid=uid))["path"])

    async def start(self, order: Order) -> LocalProgram:
        """Start a program. Raises LaunchError."""
        await self._begin()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._number += 1
        number = self._number
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._exits[number] = ended
        try:
            with theirs:
                self._send({"id": number, "op": "start", "order": order.as_json()}, theirs)
            with ours:
                told, descriptors = await asyncio.wait_for(_receive(ours), _START_SECONDS)
        except (OSError, TimeoutError) as error:
            self._exits.pop(number, None)
            raise LaunchError(f"the program did not start: {error!r}") from error
        if "error" in told:
            self._exits.pop(number, None)
            raise LaunchError(told["error"])
        listener = socket.socket(fileno=descriptors[1]) if len(descriptors) > 1 else None
        return LocalProgram(self, number, descriptors[0], listener, ended)

    def signal(self, number: int, what: int) -> None:
        """Signal a program, if it is there still."""
        if number in self._exits:
            with contextlib.suppress(OSError):
                self._send({"id": 0, "op": "signal", "of": number, "number": what})

    async def close(self) -> None:
        """End the launcher and every program."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        if self._process is not None:
            await self._process.wait()

    # -- messages --------------------------------------------------------------------------------

    async def _begin(self) -> None:
        async with self._starting:
            if self._socket is not None:
                return
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.setblocking(False)
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "playground.shells.launcher", str(theirs.fileno())),
                    pass_fds=[theirs.fileno()],
                    cwd=_ROOT_OF_SOURCES,
                    start_new_session=True,
                    stdin=asyncio.subprocess.DEVNULL,
                    env={name: os.environ[name] for name in _PASSED if name in os.environ},
                )
            self._socket = ours
            asyncio.get_running_loop().add_reader(ours, self._heard)

    async def _ask(self, op: str, **fields: Any) -> dict[str, Any]:
        await self._begin()
        self._number += 1
        number = self._number
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        self._send({"id": number, "op": op, **fields})
        try:
            told = await asyncio.wait_for(answer, _START_SECONDS)
        except TimeoutError as error:
            raise LaunchError("the launcher does not answer") from error
        finally:
            self._answers.pop(number, None)
        if "error" in told:
            raise LaunchError(told["error"])
        return told

    def _send(self, message: dict[str, Any], *sockets: socket.socket) -> None:
        if self._socket is None:
            raise LaunchError("the launcher has ended")
        data = json.dumps(message).encode()
        socket.send_fds(self._socket, [data], [one.fileno() for one in sockets])

    def _heard(self) -> None:
        assert self._socket is not None  # noqa: S101 - it is while there is a reader
        try:
            data = self._socket.recv(LARGEST)
        except OSError:
            data = b""
        if not data:
            self._lost()
            return
        message = json.loads(data)
        if "exit" in message:
            ended = self._exits.pop(message["exit"], None)
            if ended is not None and not ended.done():
                ended.set_result(message["code"])
            return
        answer = self._answers.get(message["id"])
        if answer is not None and not answer.done():
            answer.set_result(message)

    def _lost(self) -> None:
        """The launcher has died, and every program with it."""
        assert self._socket is not None  # noqa: S101 - it is while there is a reader
        log.error("the launcher of shells has ended; the next shell starts another")
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        for ended in self._exits.values():
            if not ended.done():
                ended.set_result(128 + signal.SIGKILL)
        self._exits.clear()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result({"error": "the launcher has ended"})


# What the launcher may know of our environment: nothing that holds a secret.
_PASSED = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


async def _receive(ours: socket.socket) -> tuple[dict[str, str], list[int]]:
    """Return the first message of a child and the descriptors that came with it."""
    await _readable(ours.fileno())
    data, descriptors, _, _ = socket.recv_fds(ours, 4096, 2)
    if not data:
        raise ConnectionError("it ended at once")
    return json.loads(data), list(descriptors)


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _set, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(descriptor, _set, ready)
    try:
        await ready
    finally:
        loop.remove_writer(descriptor)


@dataclass(slots=True)
class LocalProgram:
    """A program at a pseudo terminal of this machine."""

    _launching: Launching
    _number: int
    _terminal: int
    # The socket by which requests of a sandbox come; it belongs to whoever serves it.
    listener: socket.socket | None
    _ended: asyncio.Future[int]

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what it prints, until it has ended."""
        while True:
            try:
                data = os.read(self._terminal, _READ)
            except BlockingIOError:
                await _readable(self._terminal)
                continue
            except OSError:  # EIO: nobody has the other end any more
                return
            if not data:
                return
            yield data

    async def write(self, data: bytes) -> None:
        """Type; waits while the program takes nothing."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._terminal, view) :]
            except BlockingIOError:
                await _writable(self._terminal)
            except OSError:
                return

    def resize(self, rows: int, columns: int) -> None:
        """Tell the program how large its terminal is."""
        with contextlib.suppress(OSError):
            resize(self._terminal, rows, columns)

    def end(self) -> None:
        """Kill everything that was started here."""
        self._launching.signal(self._number, signal.SIGKILL)

    async def exit_code(self) -> int:
        """Return how it ended, as a shell tells it."""
        code = await asyncio.shield(self._ended)
        return int(code)

    def close(self) -> None:
        """Give back what the system lent us; for programs that have ended."""
        with contextlib.suppress(OSError):
            os.close(self._terminal)
