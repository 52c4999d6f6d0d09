"""The client's side of an exec or an attach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from nodes.network.stream import Stream
from nodes.runtime.simulated.pipes import OutputQueue
from nodes.runtime.simulated.process import Process


class SimulatedSession:
    """Keeps cri.Session."""

    __slots__ = ("_code", "_on_close", "_output", "_stdin", "process")

    def __init__(
        self,
        output: OutputQueue,
        stdin: Stream | None,
        on_close: Callable[[], None],
        process: Process | None = None,
    ) -> None:
        """Process: the one whose terminal the client has."""
        self._output = output
        self._stdin = stdin
        self._on_close = on_close
        self.process = process
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def write_stdin(self, data: bytes) -> None:
        if self._stdin is not None:
            # What a program that reads no more is sent is lost, as on a real pipe.
            with suppress(BrokenPipeError):
                await self._stdin.write(data)

    def close_stdin(self) -> None:
        if self._stdin is not None:
            self._stdin.close_write()

    def resize(self, width: int, height: int) -> None:
        terminal = self.process.terminal if self.process is not None else None
        if terminal is not None:
            terminal.resize(height, width)

    def output(self) -> AsyncIterator[tuple[int, bytes]]:
        return self._output.chunks()

    async def wait(self) -> int:
        return await asyncio.shield(self._code)

    async def close(self) -> None:
        self._on_close()
        self.finish(137)

    def finish(self, code: int) -> None:
        """The program has ended, or the client has been let go."""
        if not self._code.done():
            self._code.set_result(code)
        self._output.end()
