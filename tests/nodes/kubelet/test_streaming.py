"""exec and attach over a WebSocket: what becomes of a program whose client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from nodes.kubelet import streaming
from nodes.runtime.cri import STDOUT


class Program:
    """Runs until its session is closed; takes no input, and prints when told to."""

    def __init__(self) -> None:
        self.closed = False
        self.asked = asyncio.Event()
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        self._end: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def say(self, data: bytes) -> None:
        self._said.put_nowait(data)

    async def write_stdin(self, data: bytes) -> None:
        self.asked.set()
        await asyncio.shield(self._end)

    def close_stdin(self) -> None:
        raise AssertionError("nobody has said so")

    def resize(self, width: int, height: int) -> None:
        raise AssertionError("it has no terminal")

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while True:
            yield STDOUT, await self._said.get()

    async def wait(self) -> int:
        return await asyncio.shield(self._end)

    async def close(self) -> None:
        self.closed = True


class Client:
    """The ASGI side: `gone` once nothing that is sent arrives any more."""

    def __init__(self) -> None:
        self.gone = False
        self.messages: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self.heard: list[dict[str, object]] = []

    async def send(self, message: dict[str, object]) -> None:
        if self.gone:
            raise ConnectionResetError
        self.heard.append(message)

    def type(self, data: bytes) -> None:
        self.messages.put_nowait({"type": "websocket.receive", "bytes": b"\0" + data})


async def served(program: Program, client: Client) -> None:
    async def begin() -> Program:
        return program

    await streaming.serve(streaming.V5, begin, client.messages.get, client.send)


async def test_output_that_finds_no_client_ends_the_program() -> None:
    program, client = Program(), Client()
    client.gone = True
    program.say(b"who hears this?")
    await asyncio.wait_for(served(program, client), 10)
    assert program.closed


@pytest.mark.looptime
async def test_a_client_that_leaves_while_its_input_is_not_taken_is_missed() -> None:
    program, client = Program(), Client()
    client.type(b"x")
    serving = asyncio.ensure_future(served(program, client))
    await program.asked.wait()
    await asyncio.sleep(streaming.ASK_AGAIN + 1)
    assert client.heard == [{"type": "websocket.send", "bytes": bytes((STDOUT,))}]
    assert not program.closed, "its client is there, and silent"
    client.gone = True
    await asyncio.wait_for(serving, streaming.ASK_AGAIN)
    assert program.closed
