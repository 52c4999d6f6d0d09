"""HTTP connections of which the application gets the bytes, once they are upgraded.

Those are all to SPDY/3.1, which kubectl before 1.30 speaks for exec and its like, and WebSockets
to whom the API server hands them on. WebSockets into containers are read here (`takes`).

To the application such a connection is a WebSocket whose messages are the next bytes, cut
anywhere: it passes the same chain, is accepted or answered with a Status, and ends likewise.
`scope["extensions"]["upgrade"]["protocol"]` tells the two apart, and `subprotocols` are those that
the client offers. What the application does not take is not read from the network.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections import deque
from collections.abc import Mapping
from http.client import responses
from typing import Any
from urllib.parse import unquote_to_bytes

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.server import ServerState

log = logging.getLogger(__name__)

# As they come, in lower case; as they are called; and where their subprotocols are named.
SPDY, WEBSOCKET = b"spdy/3.1", b"websocket"
_NAMES = {SPDY: "SPDY/3.1", WEBSOCKET: "websocket"}
_PROTOCOLS = {SPDY: b"x-stream-protocol-version", WEBSOCKET: b"sec-websocket-protocol"}
_IN_CONTAINERS = re.compile(
    rb"(?:/clusters/[^/]+)?/api/v1/namespaces/[^/]+/pods/[^/]+/(?:exec|attach|portforward)/?"
)
# What is kept of what the application has not asked for yet.
_HIGH_WATER = 64 * 1024
# A client that has gone without a word is noticed after 30 s of silence and 3 questions.
_KEEP_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


def takes(protocol: bytes | None, path: bytes) -> bool:
    """Tell whether the application is to have the bytes of a connection."""
    if protocol == WEBSOCKET:
        return _IN_CONTAINERS.fullmatch(unquote_to_bytes(path)) is None
    return protocol == SPDY


def extension(protocol: bytes) -> dict[str, str]:
    """Return what the scope says of an upgrade."""
    return {"protocol": _NAMES[protocol]}


def subprotocols(protocol: bytes, headers: list[tuple[bytes, bytes]]) -> list[str]:
    """Return the protocols that a client offers, its favourite first."""
    offered = [value for name, value in headers if name == _PROTOCOLS[protocol]]
    names = b",".join(offered).decode("latin-1").split(",")
    return [name.strip() for name in names if name.strip()]


class RawUpgrade(asyncio.Protocol):
    """One connection from the request that asks for the upgrade to its end."""

    def __init__(self, app: Any, scope: dict[str, Any], server: ServerState) -> None:
        self._app, self._scope, self._server = app, scope, server
        self._received: deque[bytes] = deque()
        self._waiting = 0
        self._connected = self._gone = self._accepted = False
        self._news = asyncio.Event()
        self._refusal: Mapping[str, Any] = {}

    # -- the transport's side --------------------------------------------------------------------

    def take_over(self, transport: asyncio.Transport) -> None:
        """Go on with a connection of which the request has been read."""
        self._transport, self._flow = transport, FlowControl(transport)
        self._server.connections.add(self)  # type: ignore[arg-type]
        _watch_over(transport)
        transport.set_protocol(self)
        task = asyncio.get_running_loop().create_task(self._run())
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)

    def data_received(self, data: bytes) -> None:
        self._received.append(data)
        self._waiting += len(data)
        if self._waiting > _HIGH_WATER:
            self._flow.pause_reading()
        self._news.set()

    def eof_received(self) -> None:
        self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._server.connections.discard(self)
        self._leave()
        self._flow.resume_writing()

    def pause_writing(self) -> None:
        self._flow.pause_writing()

    def resume_writing(self) -> None:
        self._flow.resume_writing()

    def shutdown(self) -> None:
        """Called by the server when it ends."""
        self._leave()

    def _leave(self) -> None:
        self._gone = True
        self._news.set()

    # -- the application's side ------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except Exception:
            log.exception("an upgraded connection broke off")
        finally:
            self._transport.close()

    async def _receive(self) -> dict[str, Any]:
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        while not (self._received or self._gone):
            self._news.clear()
            await self._news.wait()
        if not self._received:
            return {"type": "websocket.disconnect", "code": 1006}
        data = b"".join(self._received)
        self._received.clear()
        self._waiting = 0
        self._flow.resume_reading()
        return {"type": "websocket.receive", "bytes": data}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if self._transport.is_closing():
            return
        match message["type"]:
            case "websocket.send":
                await self._write(message["bytes"])
            case "websocket.accept":
                await self._accept(message)
            case "websocket.http.response.start":
                self._refusal = message
            case "websocket.http.response.body":
                await self._refuse(message["body"])
            case "websocket.close" if self._accepted:
                self._transport.close()
            case "websocket.close":
                self._refusal = {"status": 403, "headers": []}
                await self._refuse(b"")

    async def _accept(self, message: Mapping[str, Any]) -> None:
        """Agree: in the words of the server behind, or in SPDY's own."""
        self._accepted = True
        headers = [*message.get("headers", ())]
        if not headers:
            headers = [(b"upgrade", b"SPDY/3.1"), (b"connection", b"Upgrade")]
        if protocol := message.get("subprotocol"):
            headers.append((_PROTOCOLS[SPDY], protocol.encode()))
        await self._write(_head(101, headers))

    async def _refuse(self, body: bytes) -> None:
        headers = [
            *self._refusal["headers"],
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        await self._write(_head(self._refusal["status"], headers) + body)
        self._transport.close()

    async def _write(self, data: bytes) -> None:
        self._transport.write(data)
        if self._flow.write_paused:
            await self._flow.drain()


def _head(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
    # A server behind may say any number.
    lines = [b"HTTP/1.1 %d %s" % (status, responses.get(status, "").encode())]
    lines += [b"%s: %s" % pair for pair in headers]
    return b"\r\n".join([*lines, b"", b""])


def _watch_over(transport: asyncio.Transport) -> None:
    """Let TCP find out when the other side has gone: SPDY's own pings are the client's affair."""
    connection = transport.get_extra_info("socket")
    if connection is None:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
