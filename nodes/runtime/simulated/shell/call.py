"""One command of a script that touches the simulation: its arguments and its three streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from nodes.network.stream import Stream, stream_pair
from nodes.runtime.cri import STDERR, STDOUT
from nodes.runtime.simulated.pipes import OutputQueue
from nodes.runtime.simulated.process import PodNetwork, Process, Program
from nodes.runtime.simulated.shell.bash import Shell
from nodes.runtime.simulated.shell.remote import Remote

MAX_INPUT = 1024 * 1024


@dataclass(slots=True)
class Call:
    """`process` is the one whose script this is."""

    name: str
    args: list[str]
    env: Mapping[str, str]
    cwd: str
    process: Process
    _shell: Shell
    _remote: Remote

    @property
    def net(self) -> PodNetwork:
        return self.process.net

    async def out(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        if data:
            await self._shell.through(self._remote.write(STDOUT, data))

    async def err(self, text: str) -> None:
        await self._shell.through(self._remote.write(STDERR, text.encode()))

    async def fail(self, text: str, code: int = 1) -> int:
        """Print a line of complaint; return the code."""
        await self.err(f"{text}\n")
        return code

    async def stdin(self) -> AsyncIterator[bytes]:
        while chunk := await self._read_chunk():
            yield chunk

    async def _read_chunk(self) -> bytes | None:
        return await self._shell.through(self._remote.read(), reading=True)

    async def input(self) -> bytes:
        """Read stdin to its end, or as much as is allowed."""
        parts: list[bytes] = []
        size = 0
        async for chunk in self.stdin():
            parts.append(chunk)
            size += len(chunk)
            if size > MAX_INPUT:
                break
        return b"".join(parts)[:MAX_INPUT]

    async def run_program(self, program: Program) -> int:
        """Run another program as a child, with these streams, and wait for its end."""
        queue = OutputQueue()
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def on_exit(code: int) -> None:
            queue.end()
            if not ended.done():
                ended.set_result(code)

        feed, stdin = stream_pair(("stdin", 0), ("stdin", 0))
        parent = self.process
        child = Process(
            parent.world,
            program,
            (self.name, *self.args),
            self.env,
            self.cwd,
            out=queue,
            stdin=stdin,
            on_exit=on_exit,
        )
        child.spawn("stdin", self._feed(feed))
        try:
            child.start()
            async for stream, data in queue.chunks():
                await self._shell.through(self._remote.write(stream, data))
            return await ended
        finally:
            feed.close()
            child.exit(143)

    async def _feed(self, feed: Stream) -> None:
        try:
            async for chunk in self.stdin():
                await feed.write(chunk)
        except BrokenPipeError:
            return
        feed.close_write()


Command = Callable[[Call], Awaitable[int]]
