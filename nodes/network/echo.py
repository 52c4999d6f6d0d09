"""Connections that say again what they hear: WebSockets by message, all others byte by byte."""

from __future__ import annotations

from collections.abc import Sequence

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from nodes.network.http import Connection, Headers, HttpRequest, HttpResponse

# The largest message that is put together before it is said again.
MAX_MESSAGE = 64 * 1024
_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_STREAM_PROTOCOLS = "X-Stream-Protocol-Version"


def is_upgrade(request: HttpRequest) -> bool:
    """Tell whether a client wants to go on with another protocol."""
    asked = request.headers.get("Connection").lower()
    return "upgrade" in asked and bool(request.headers.get("Upgrade"))


def is_websocket(request: HttpRequest) -> bool:
    """Tell whether that is a WebSocket."""
    return is_upgrade(request) and request.headers.get("Upgrade").lower() == "websocket"


def echo(request: HttpRequest) -> HttpResponse:
    """Agree to a WebSocket or to SPDY/3.1, or refuse."""
    protocol = request.headers.get("Upgrade").lower()
    if protocol == "websocket":
        return websocket_echo(request)
    if protocol == "spdy/3.1":
        return _bytes(request)
    return HttpResponse(400, Headers([_TEXT]), b"unknown protocol\n")


def _bytes(request: HttpRequest) -> HttpResponse:
    fields = [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1")]
    if offered := request.headers.get(_STREAM_PROTOCOLS):
        fields.append((_STREAM_PROTOCOLS, offered.partition(",")[0].strip()))

    async def upgraded(stream: Connection, rest: bytes) -> None:
        data = rest or await stream.read()
        while data:
            await stream.write(data)
            data = await stream.read()

    return HttpResponse(101, Headers(fields), upgraded=upgraded)


def websocket_echo(request: HttpRequest, greeting: str = "") -> HttpResponse:
    """Agree to a WebSocket, or refuse what is none; `greeting` is the first message."""
    server = ServerProtocol(max_size=MAX_MESSAGE, select_subprotocol=_first)
    # Its own reader of heads gets this one to see, since it will have nothing else before it.
    lines = [f"GET {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items]
    server.receive_data("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n")
    asked = next((event for event in server.events_received() if isinstance(event, Request)), None)
    if asked is None or request.method != "GET":
        return HttpResponse(400, Headers([_TEXT]), b"bad request\n")
    said = server.accept(asked)
    fields = Headers(list(said.headers.raw_items()))
    if said.status_code != 101:
        return HttpResponse(said.status_code, fields, bytes(said.body))
    server.send_response(said)
    server.data_to_send()  # the head, which the HTTP server writes

    async def upgraded(stream: Connection, rest: bytes) -> None:
        if greeting:
            server.send_text(greeting.encode())
        await _messages(server, stream, rest)

    return HttpResponse(101, fields, upgraded=upgraded)


def _first(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return offered[0] if offered else None


async def _messages(server: ServerProtocol, stream: Connection, rest: bytes) -> None:
    """Say each message again; pings and the end are answered by the library."""
    message, opcode = bytearray(), Opcode.BINARY
    data = rest
    while True:
        if data:
            server.receive_data(data)
        frames = [one for one in server.events_received() if isinstance(one, Frame)]
        for frame in frames:
            if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
                message, opcode = bytearray(), frame.opcode
            elif frame.opcode is not Opcode.CONT:
                continue
            message += frame.data
            if frame.fin and server.state is State.OPEN:
                _say(server, opcode, bytes(message))
        for each in server.data_to_send():
            await stream.write(each)
        if server.state is not State.OPEN or not (data := await stream.read()):
            return


def _say(server: ServerProtocol, opcode: Opcode, message: bytes) -> None:
    if opcode is Opcode.BINARY:
        server.send_binary(message)
        return
    try:
        message.decode()
    except UnicodeDecodeError:
        server.fail(1007)
        return
    server.send_text(message)
