"""One command that an interpreter asks for: what it is called with, and its three streams there."""

from __future__ import annotations

import asyncio
from collections import deque

from nodes.runtime.simulated.shell.helpers import Helper
from nodes.runtime.simulated.shell.wire import Head


class Remote:
    """The command as the interpreter has it."""

    def __init__(self, helper: Helper, number: int, head: Head) -> None:
        """ValueError or KeyError for a head that is none."""
        self.name = str(head["name"])
        self.argv = [str(arg) for arg in head["argv"]]
        self.env = {str(key): str(value) for key, value in head["env"].items()}
        self.cwd = str(head["cwd"])
        self._helper = helper
        self._number = number
        self._writes: deque[asyncio.Future[None]] = deque()
        self._reads: deque[asyncio.Future[bytes | None]] = deque()

    async def write(self, stream: int, data: bytes) -> None:
        """Write to stdout (1) or stderr (2). BrokenPipeError when nobody reads any more."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writes.append(written)
        self._helper.send("write", data, call=self._number, stream=stream)
        await written

    async def read(self) -> bytes | None:
        """Return what comes next on stdin, None at its end."""
        chunk: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._reads.append(chunk)
        self._helper.send("read", call=self._number)
        return await chunk

    def heard(self, head: Head, body: bytes) -> None:
        """Take an answer."""
        if head["op"] == "wrote" and self._writes:
            written = self._writes.popleft()
            if written.done():
                return
            if head["broken"]:
                written.set_exception(BrokenPipeError())
            else:
                written.set_result(None)
        elif head["op"] == "chunk" and self._reads:
            chunk = self._reads.popleft()
            if not chunk.done():
                chunk.set_result(None if head["end"] else body)
