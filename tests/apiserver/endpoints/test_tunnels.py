"""Upgraded connections: what is asked of the next server, and how bytes go to and fro."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from apimachinery.clock import ManualClock
from apiserver.endpoints import tunnels
from apiserver.endpoints.request import Answer
from apiserver.endpoints.tunnels import IDLE, InvalidUpgrade, Upgrade, answered
from tests.support.eventually import eventually

SPDY = Upgrade("SPDY/3.1")


class Server:
    """The server's end of an exchange, in the test's hands."""

    def __init__(self, status: int = 101, *chunks: bytes, **fields: str) -> None:
        self.status, self._chunks = status, chunks
        self.fields = [(name.replace("_", "-"), value) for name, value in fields.items()]
        self.says: asyncio.Queue[bytes] = asyncio.Queue()
        self.heard: list[bytes] = []
        self.closed = False

    async def body(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk

    async def read(self) -> bytes:
        return await self.says.get()

    async def write(self, data: bytes) -> None:
        if self.closed:
            raise BrokenPipeError("the connection is closed")
        self.heard.append(data)

    def close(self) -> None:
        self.closed = True
        self.says.put_nowait(b"")


class Copying:
    """A tunnel that is served, and its client."""

    def __init__(self, server: Server, clock: ManualClock) -> None:
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.said.put_nowait({"type": "websocket.connect"})
        self.heard: list[dict[str, Any]] = []
        answer = Answer(101, headers={"Upgrade": "x"}, tunnel=server)
        work = tunnels.serve(answer, server, clock, self.said.get, self._send)
        self.task = asyncio.ensure_future(work)

    async def _send(self, message: dict[str, Any]) -> None:
        self.heard.append(message)

    async def over(self) -> None:
        await asyncio.wait_for(self.task, 5)
        assert self.heard[-1] == {"type": "websocket.close"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def copying(server: Server, clock: ManualClock) -> Copying:
    made = Copying(server, clock)
    await eventually(lambda: len(made.heard) == 1)
    assert made.heard[0] == {"type": "websocket.accept", "headers": [(b"upgrade", b"x")]}
    return made


async def test_bytes_go_both_ways_until_the_client_leaves(copying: Copying, server: Server) -> None:
    copying.said.put_nowait({"type": "websocket.receive", "bytes": b"there"})
    server.says.put_nowait(b"back")
    await eventually(lambda: server.heard and len(copying.heard) == 2)
    assert server.heard == [b"there"]
    assert copying.heard[1] == {"type": "websocket.send", "bytes": b"back"}
    copying.said.put_nowait({"type": "websocket.disconnect", "code": 1006})
    await copying.over()
    assert server.closed


async def test_a_server_that_goes_takes_the_client_along(copying: Copying, server: Server) -> None:
    server.says.put_nowait(b"")
    await copying.over()
    assert server.closed


async def test_a_server_that_does_not_take_any_more(copying: Copying, server: Server) -> None:
    server.closed = True
    copying.said.put_nowait({"type": "websocket.receive", "bytes": b"there"})
    await copying.over()


async def test_whoever_is_silent_for_long_is_cut_off(
    copying: Copying, server: Server, clock: ManualClock
) -> None:
    clock.advance(IDLE - 1)
    copying.said.put_nowait({"type": "websocket.receive", "bytes": b"still here"})
    await eventually(lambda: server.heard)
    clock.advance(IDLE - 1)
    await asyncio.sleep(0)
    assert not server.closed
    clock.advance(1)
    await copying.over()
    assert server.closed


async def test_a_cancelled_tunnel_leaves_nothing_behind(copying: Copying, server: Server) -> None:
    copying.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying.task
    assert server.closed


async def test_an_answer_that_agrees_is_a_tunnel(server: Server) -> None:
    server.fields = [
        *(("Upgrade", "x\nX-Forged: y"), ("Connection", "upgrade"), ("X-Forged", "a\rb")),
        *(("Sec-WebSocket-Accept", "k"), ("Set-Cookie", "a=b")),
    ]
    answer = await answered(server, SPDY)
    assert (answer.code, answer.tunnel, server.closed) == (101, server, False)
    assert answer.headers == {
        "Upgrade": "SPDY/3.1", "Connection": "Upgrade", "Sec-WebSocket-Accept": "k",
    }  # fmt: skip


async def test_a_refusal_goes_back_and_no_more_of_it_than_fits() -> None:
    server = Server(403, b"no", b"!", Content_Type="text/plain", X_Why="you")
    answer = await answered(server, SPDY)
    assert (answer.code, answer.text, answer.content_type) == (403, b"no!", "text/plain")
    assert (answer.headers, answer.tunnel, server.closed) == ({"X-Why": "you"}, None, True)
    forged = await answered(Server(403, content_type="a\nX-Forged: b"), SPDY)
    assert forged.content_type == "text/plain; charset=utf-8"
    large = await answered(Server(500, *[b"x" * 1000] * 1000), SPDY)
    assert len(large.text or b"") == tunnels.MAX_REFUSAL


@pytest.mark.parametrize("status", [200, 204, 302])
async def test_an_answer_to_another_question(status: int) -> None:
    server = Server(status)
    with pytest.raises(InvalidUpgrade) as caught:
        await answered(server, SPDY)
    assert str(caught.value) == f"invalid upgrade response: status code {status}"
    assert server.closed


def test_what_goes_on_of_a_websocket() -> None:
    token = "base64url.bearer.authorization.k8s.io.c2VjcmV0"
    upgrade = Upgrade("websocket", ("chat", token, "other"))
    assert upgrade.asking() == [
        *(("Connection", "Upgrade"), ("Upgrade", "websocket")),
        ("Sec-WebSocket-Protocol", "chat, other"),
    ]
    sent = {"sec-websocket-protocol": token, "sec-websocket-key": "k", "cookie": "c", "a": "b"}
    assert upgrade.fields(sent) == {"sec-websocket-key": "k", "a": "b"}
    assert Upgrade("websocket", (token,)).asking() == upgrade.asking()[:2]


def test_what_goes_on_of_spdy() -> None:
    upgrade = Upgrade("SPDY/3.1", ("v4.channel.k8s.io", "channel.k8s.io"))
    assert upgrade.asking() == [
        *(("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1")),
        ("X-Stream-Protocol-Version", "v4.channel.k8s.io"),
        ("X-Stream-Protocol-Version", "channel.k8s.io"),
    ]
    assert upgrade.fields({"x-stream-protocol-version": "channel.k8s.io"}) == {}
