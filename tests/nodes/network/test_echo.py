"""Servers that echo, by a WebSocket's messages or byte by byte."""

from __future__ import annotations

import asyncio

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.http11 import Response
from websockets.uri import parse_uri

from nodes.network.echo import MAX_MESSAGE, echo, websocket_echo
from nodes.network.http import Headers, HttpRequest, HttpResponse, serve_http
from nodes.network.stream import Stream, stream_pair


async def app(request: HttpRequest) -> HttpResponse:
    if request.path == "/greeting":
        return websocket_echo(request, "hello")
    return echo(request)


class Client:
    """A WebSocket's client on a connection in memory."""

    def __init__(self, stream: Stream, path: str = "/") -> None:
        self.stream = stream
        uri = parse_uri(f"ws://pod{path}")
        self.protocol = ClientProtocol(uri, subprotocols=["chat", "other"], max_size=None)

    async def open(self) -> Response:
        self.protocol.send_request(self.protocol.connect())
        await self.flush()
        event = await self.event()
        assert isinstance(event, Response)
        return event

    async def flush(self) -> None:
        for data in self.protocol.data_to_send():
            await self.stream.write(data)

    async def event(self) -> object:
        while not (events := self.protocol.events_received()):
            data = await asyncio.wait_for(self.stream.read(), 5)
            if not data:
                return None
            self.protocol.receive_data(data)
        (event,) = events
        return event

    async def frame(self) -> bytes:
        event = await self.event()
        assert isinstance(event, Frame), event
        return bytes(event.data)


@pytest.fixture
async def stream():
    client, server = stream_pair(("10.0.0.1", 1), ("10.0.0.2", 80))
    task = asyncio.ensure_future(serve_http(app)(server))
    task.add_done_callback(lambda _: server.close())
    yield client
    client.close()
    await asyncio.wait_for(task, 5)


async def test_messages_come_back(stream: Stream) -> None:
    client = Client(stream, "/greeting")
    said = await client.open()
    assert (said.status_code, said.headers["Sec-WebSocket-Protocol"]) == (101, "chat")
    assert await client.frame() == b"hello"
    client.protocol.send_text(b"one")
    await client.flush()
    assert await client.frame() == b"one"
    client.protocol.send_binary(b"a", fin=False)
    client.protocol.send_continuation(b"b", fin=True)
    await client.flush()
    assert await client.frame() == b"ab"
    client.protocol.send_ping(b"?")
    await client.flush()
    assert await client.frame() == b"?"
    client.protocol.send_close(1000)
    await client.flush()
    await client.event()
    assert client.protocol.close_rcvd is not None
    assert client.protocol.close_rcvd.code == 1000
    assert await asyncio.wait_for(stream.read(), 5) == b""


@pytest.mark.parametrize(("message", "code"), [(b"\xff", 1007), (b"x" * (MAX_MESSAGE + 1), 1009)])
async def test_messages_that_are_none(stream: Stream, message: bytes, code: int) -> None:
    client = Client(stream)
    await client.open()
    client.protocol.send_text(message)
    await client.flush()
    await client.event()
    assert client.protocol.close_rcvd is not None
    assert client.protocol.close_rcvd.code == code


async def ask(stream: Stream, *fields: str) -> bytes:
    lines = ["GET / HTTP/1.1", "Host: x", "Connection: Upgrade", *fields]
    await stream.write("\r\n".join(lines).encode() + b"\r\n\r\n")
    return await asyncio.wait_for(stream.read(), 5)


async def test_spdys_bytes_come_back(stream: Stream) -> None:
    fields = ("Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v4.channel.k8s.io, x")
    assert await ask(stream, *fields) == (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
        b"X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n"
    )
    await stream.write(b"\x80\x03\x00\x06")
    assert await asyncio.wait_for(stream.read(), 5) == b"\x80\x03\x00\x06"


@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
async def test_what_is_no_handshake_is_refused(stream: Stream, protocol: str) -> None:
    assert (await ask(stream, f"Upgrade: {protocol}")).startswith(b"HTTP/1.1 400 ")


def test_a_request_of_its_own() -> None:
    request = HttpRequest("POST", "/", "HTTP/1.1", Headers([("Upgrade", "websocket")]))
    assert echo(request).status == 400
