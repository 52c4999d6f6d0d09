"""The parent of an instance: holds the sockets, starts its processes, keeps them running.

The parent owns the listening sockets and lends them to its children, so an address never
changes and never refuses while a child is started again. A child that dies is logged and
started again, after a wait that doubles up to ten seconds. On SIGTERM or SIGINT all children
get SIGTERM, and SIGKILL after `GRACE`: what was acknowledged is on disk by then. A parent that is
killed cannot tell them: each child holds the end of a pipe that breaks then, and ends by itself,
so that the addresses are free for the next parent.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger("kubeground.supervisor")

GRACE = 4.0  # seconds until SIGKILL: the promise is an end within five
PARENT = "KUBEGROUND_PARENT_FD"  # in a child's environment: the pipe that ends with its parent
# Seconds between two starts of a child that keeps dying; one that lived longer starts at the first.
FIRST_WAIT, LONGEST_WAIT = 0.1, 10.0
# glibc gives memory of the size of a long list back to the kernel after each answer, and gets it
# anew, page by page, for the next: that took a quarter of the time that such a list takes.
_ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "4194304", "MALLOC_TRIM_THRESHOLD_": "8388608"}
# What the kernel takes as the name of a local socket.
_LONGEST_LOCAL = 107


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises OSError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(2048)
    listener.setblocking(False)
    return listener


def listen_locally(directory: Path) -> socket.socket:
    """Return a socket of this machine's file system that our own user alone can open."""
    path = directory / "shells.sock"
    if len(os.fsencode(path)) > _LONGEST_LOCAL:
        path = Path(tempfile.mkdtemp(prefix="kubeground-")) / path.name
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(128)
    listener.setblocking(False)
    return listener


@dataclass(slots=True)
class Child:
    """A process to keep running. `module` is run with `arguments` and `--fd N --ready-fd M`."""

    name: str
    module: str
    listener: socket.socket
    arguments: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    # Further descriptors that `arguments` name.
    lent: Sequence[int] = ()
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Start the process, and again whenever it ends or cannot start, until cancelled."""
        wait, now = FIRST_WAIT, asyncio.get_running_loop().time
        while True:
            began = now()
            try:
                how = f"ended with {await self._run_once()}"
            except Exception as error:  # no memory or no descriptor left: there may be, later
                how = f"could not be started ({error!r})"
            self.ready.clear()
            if now() - began > LONGEST_WAIT:
                wait = FIRST_WAIT
            log.error("%s %s; starting it again in %.1f s", self.name, how, wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    async def _run_once(self) -> int:
        reader, writer = os.pipe()
        lifeline, held = os.pipe()
        descriptor = self.listener.fileno()
        try:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self.module,
                "--fd",
                str(descriptor),
                "--ready-fd",
                str(writer),
                *self.arguments,
                pass_fds=(descriptor, writer, lifeline, *self.lent),
                env={**_ALLOCATOR, **os.environ, **self.environment, PARENT: str(lifeline)},
                # Ctrl-C goes to the terminal's whole group; the parent alone decides.
                start_new_session=True,
            )
        except BaseException:
            os.close(held)
            os.close(reader)
            raise
        finally:
            os.close(writer)
            os.close(lifeline)
        asyncio.get_running_loop().add_reader(reader, self._on_ready, reader)
        try:
            return await self.process.wait()
        finally:
            asyncio.get_running_loop().remove_reader(reader)
            os.close(reader)
            os.close(held)

    def _on_ready(self, reader: int) -> None:
        """The child writes a byte when it serves; end of file means that it is gone."""
        if os.read(reader, 1):
            self.ready.set()
        asyncio.get_running_loop().remove_reader(reader)

    async def stop(self) -> None:
        """End the process: politely, then not."""
        process = self.process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), GRACE)
        except TimeoutError:
            log.warning("%s did not end in %.0f s and was killed", self.name, GRACE)
            process.kill()
            await process.wait()


def end_with_parent() -> None:
    """Send this process SIGTERM when the parent that started it, and asked for that, is gone."""
    given = os.environ.pop(PARENT, "")
    if not given:
        return

    def watch() -> None:
        os.read(int(given), 1)  # nothing is ever written: it returns when the pipe breaks
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


async def supervise(children: Sequence[Child], on_ready: asyncio.Event) -> None:
    """Run the children until SIGTERM or SIGINT; set `on_ready` once all of them serve."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    async def announce() -> None:
        for child in children:
            await child.ready.wait()
        on_ready.set()

    tasks = [asyncio.ensure_future(child.run()) for child in children]
    tasks.append(asyncio.ensure_future(announce()))
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*(child.stop() for child in children))
    await asyncio.gather(*tasks, return_exceptions=True)
