"""The process that interprets shells: `python -m nodes.runtime.simulated.shell.host FD`.

It has one socket and nothing else: no files, no network, an empty environment, hard limits. A
script that breaks the interpreter, or eats the memory that it may have, ends this process and no
other. It ends by itself when the other side of the socket is gone.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nodes.runtime.simulated.shell.hosted import Host
from nodes.runtime.simulated.shell.wire import BadFrame, Decoder, Head, encode

# Address space. The code, its threads and their stacks take 200 MiB; the rest is for scripts.
MAX_MEMORY = 512 * 1024 * 1024
# CPU seconds that a run adds to what the process may use: more than the 3 s that a run may
# compute on two threads.
_CPU_FOR_A_RUN = 10
# Each shell has an event queue of its own: 4 files.
_OPEN_FILES = 4096
_LINGER = 0.003
_PAGE = os.sysconf("SC_PAGESIZE")


def main() -> None:
    """Serve until the socket is closed."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    os.chdir("/")
    # The worker, which answers everybody, goes first.
    os.nice(5)
    _limit(resource.RLIMIT_AS, MAX_MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    asyncio.run(_serve(connection))


def _limit(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (allowed, allowed))


def _allow_cpu() -> None:
    """Let a run have its share of CPU time; the kernel ends the process beyond it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + _CPU_FOR_A_RUN
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _resident() -> int:
    """Return the bytes of memory that this process holds."""
    with Path("/proc/self/statm").open("rb") as statm:
        return int(statm.read().split()[1]) * _PAGE


async def _serve(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_unix_connection(_Connection, sock=connection)
    await protocol.ended


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._decoder = Decoder()
        self._receive: Callable[[Head, bytes], None]

    def connection_made(self, transport: Any) -> None:
        def send(head: Head, body: bytes) -> None:
            transport.write(encode(head, body))

        self._receive = Host(send, _LINGER, _allow_cpu, _resident).receive

    def data_received(self, data: bytes) -> None:
        try:
            for head, body in self._decoder.feed(data):
                self._receive(head, body)
        except BadFrame:
            os._exit(1)

    def connection_lost(self, exc: Exception | None) -> None:
        # Whatever still runs ends with the process, at once.
        os._exit(0)


if __name__ == "__main__":
    main()
