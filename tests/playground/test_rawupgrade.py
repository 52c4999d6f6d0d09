"""Upgrades, to SPDY above all: what the application sees, what is sent, and how either ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from playground.secure_server import HttpProtocol, WebSocketProtocol
from tests.support.eventually import eventually

REQUEST = (
    b"POST /api/v1/namespaces/d/pods/a%20b/exec?command=ls&stdout=true HTTP/1.1\r\n"
    b"Host: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\n"
    b"X-Stream-Protocol-Version: v4.channel.k8s.io, v3.channel.k8s.io\r\n"
    b"X-Stream-Protocol-Version: channel.k8s.io\r\n\r\n"
)
WEBSOCKET = (
    b"Host: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Protocol: one, two\r\n\r\n"
)


class Wire(asyncio.Transport):
    """A transport in memory: keeps what is written, and whether it is to be read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.reading, self.closing = True, False
        self.protocol: Any = None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Rig:
    """A connection whose application is in the test's hands."""

    def __init__(self) -> None:
        self.state = ServerState()
        config = uvicorn.Config(
            self._app,
            http=HttpProtocol,
            ws=WebSocketProtocol,
            interface="asgi3",
            lifespan="off",
            log_config=None,
        )
        config.load()
        self.wire = Wire()
        self.scope: dict[str, Any] = {}
        self._called = asyncio.Event()
        self._over = asyncio.Event()
        protocol = HttpProtocol(config, self.state, {})
        protocol.connection_made(self.wire)
        self.wire.protocol = protocol

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.receive, self.send = scope, receive, send
        self._called.set()
        await self._over.wait()

    async def ask(self, request: bytes = REQUEST) -> None:
        self.wire.protocol.data_received(request)
        await asyncio.wait_for(self._called.wait(), 5)

    async def accept(self) -> None:
        assert await self.receive() == {"type": "websocket.connect"}
        await self.send({"type": "websocket.accept", "subprotocol": "v4.channel.k8s.io"})
        self.wire.written = b""

    async def end(self) -> None:
        self._over.set()
        await eventually(lambda: not self.state.tasks and not self.state.connections)


@pytest.fixture
async def rig():
    made = Rig()
    yield made
    await made.end()
    assert made.wire.closing


async def test_a_request_is_a_websockets_scope(rig: Rig) -> None:
    await rig.ask()
    scope = rig.scope
    assert (scope["type"], scope["method"]) == ("websocket", "POST")
    assert scope["path"] == "/api/v1/namespaces/d/pods/a b/exec"
    assert scope["query_string"] == b"command=ls&stdout=true"
    assert scope["subprotocols"] == ["v4.channel.k8s.io", "v3.channel.k8s.io", "channel.k8s.io"]
    assert scope["extensions"].keys() == {"tls", "websocket.http.response", "upgrade"}


async def test_bytes_there_and_back(rig: Rig) -> None:
    await rig.ask()
    assert await rig.receive() == {"type": "websocket.connect"}
    await rig.send({"type": "websocket.accept", "subprotocol": "v4.channel.k8s.io"})
    assert rig.wire.written == (
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: SPDY/3.1\r\nconnection: Upgrade\r\n"
        b"x-stream-protocol-version: v4.channel.k8s.io\r\n\r\n"
    )
    rig.wire.protocol.data_received(b"one")
    rig.wire.protocol.data_received(b"two")
    assert await rig.receive() == {"type": "websocket.receive", "bytes": b"onetwo"}
    rig.wire.written = b""
    await rig.send({"type": "websocket.send", "bytes": b"back"})
    assert rig.wire.written == b"back"
    await rig.send({"type": "websocket.close", "code": 1000})
    await rig.send({"type": "websocket.send", "bytes": b"late"})
    assert rig.wire.written == b"back"
    assert (await rig.receive())["type"] == "websocket.disconnect"


async def test_a_refusal_is_an_answer(rig: Rig) -> None:
    await rig.ask()
    headers = [(b"content-type", b"application/json")]
    await rig.send({"type": "websocket.http.response.start", "status": 404, "headers": headers})
    await rig.send({"type": "websocket.http.response.body", "body": b"{}"})
    assert rig.wire.written == (
        b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 2\r\n"
        b"connection: close\r\n\r\n{}"
    )


async def test_what_is_not_taken_is_not_read(rig: Rig) -> None:
    await rig.ask()
    await rig.accept()
    rig.wire.protocol.data_received(b"x" * 60_000)
    assert rig.wire.reading
    rig.wire.protocol.data_received(b"x" * 10_000)
    assert not rig.wire.reading
    assert len((await rig.receive())["bytes"]) == 70_000
    assert rig.wire.reading


async def test_a_full_wire_makes_the_sender_wait(rig: Rig) -> None:
    await rig.ask()
    await rig.accept()
    rig.wire.protocol.pause_writing()
    sending = asyncio.ensure_future(rig.send({"type": "websocket.send", "bytes": b"x"}))
    await asyncio.sleep(0.01)
    assert not sending.done()
    rig.wire.protocol.resume_writing()
    await asyncio.wait_for(sending, 5)


@pytest.mark.parametrize("how", ["connection_lost", "eof_received", "shutdown"])
async def test_whoever_waits_learns_of_the_end(rig: Rig, how: str) -> None:
    await rig.ask()
    await rig.accept()
    waiting = asyncio.ensure_future(rig.receive())
    await asyncio.sleep(0.01)
    getattr(rig.wire.protocol, how)(*((None,) if how == "connection_lost" else ()))
    assert (await asyncio.wait_for(waiting, 5))["type"] == "websocket.disconnect"


async def test_an_upgrade_in_the_middle_of_an_answer_is_not_taken() -> None:
    rig = Rig()
    await rig.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert rig.scope["type"] == "http"
    rig.wire.protocol.data_received(REQUEST)
    assert rig.wire.closing
    assert rig.scope["type"] == "http"
    await rig.end()


async def test_frames_that_make_no_sense_before_a_websocket_is_answered(rig: Rig) -> None:
    await rig.ask(b"GET /api/v1/namespaces/d/pods/x/exec HTTP/1.1\r\n" + WEBSOCKET)
    rig.wire.protocol.data_received(b"\xff" * 64)
    assert (await rig.receive())["type"] == "websocket.connect"
    assert (await asyncio.wait_for(rig.receive(), 5))["type"] == "websocket.disconnect"
    assert rig.wire.written == b""


@pytest.mark.parametrize(
    ("path", "handed_over"),
    [
        (b"/api/v1/namespaces/d/pods/a/exec?command=ls", False),
        (b"/clusters/c/api/v1/namespaces/d/pods/a/portforward", False),
        (b"/api/v1/namespaces/d/pods/a/%61ttach", False),
        (b"/api/v1/namespaces/d/pods/a/proxy/pods/a/exec", True),
        (b"/api/v1/namespaces/d/services/a/proxy/", True),
        (b"/apis/wardle.example.com/v1/flunders/a/connect", True),
    ],
)
async def test_websockets_into_containers_alone_are_read_here(path: bytes, handed_over: bool):
    rig = Rig()
    await rig.ask(b"GET " + path + b" HTTP/1.1\r\n" + WEBSOCKET)
    assert ("upgrade" in rig.scope["extensions"]) == handed_over
    assert rig.scope["subprotocols"] == ["one", "two"]
    if not handed_over:
        rig.wire.protocol.connection_lost(None)
    await rig.end()


async def test_a_server_behind_agrees_in_its_own_words(rig: Rig) -> None:
    await rig.ask(b"GET /apis/a/v1/x HTTP/1.1\r\n" + WEBSOCKET)
    assert rig.scope["extensions"]["upgrade"] == {"protocol": "websocket"}
    await rig.send({"type": "websocket.accept", "headers": [(b"upgrade", b"websocket")]})
    assert rig.wire.written == b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n"


async def test_a_refusal_may_have_any_number(rig: Rig) -> None:
    await rig.ask(b"GET /apis/a/v1/x HTTP/1.1\r\n" + WEBSOCKET)
    await rig.send({"type": "websocket.http.response.start", "status": 799, "headers": []})
    await rig.send({"type": "websocket.http.response.body", "body": b""})
    assert rig.wire.written.startswith(b"HTTP/1.1 799 \r\n")
