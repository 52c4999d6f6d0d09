"""Connections that a client upgrades with a server of the cluster's network, through this one.

As UpgradeAwareHandler: the request goes on with its Upgrade; once the server has agreed, bytes are
copied both ways and nobody looks at them. When one side goes, so does the other. A side that does
not read is not read for: what is held of a connection is what the two transports hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from apimachinery.clock import Clock, Timer
from apiserver.endpoints import hops
from apiserver.endpoints.request import Answer

# As long as a kubelet lets a stream be idle.
IDLE = 4 * 3600.0
# Bytes of a refusal that are passed on, and how long they may take.
MAX_REFUSAL, REFUSAL_TIMEOUT = 64 * 1024, 10.0
SWITCHING = 101
_WEBSOCKET = "websocket"
_STREAM_PROTOCOL, _WEBSOCKET_PROTOCOL = "X-Stream-Protocol-Version", "Sec-WebSocket-Protocol"
# A WebSocket's client in a browser can send a token as a protocol alone.
_BEARER = "base64url.bearer.authorization.k8s.io."
_TEXT = "text/plain; charset=utf-8"


class Exchange(Protocol):
    """A request that was sent, and an answer of which the head has come. Close it in any case."""

    @property
    def status(self) -> int: ...

    @property
    def fields(self) -> Iterable[tuple[str, str]]:
        """The header fields."""
        ...

    def body(self) -> AsyncIterator[bytes]: ...

    async def read(self) -> bytes:
        """Return what comes after the head of a 101; b"" once the other side has closed."""
        ...

    async def write(self, data: bytes) -> None:
        """Send what comes after a 101."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What a client wants to go on with, and the subprotocols that it offers for that."""

    protocol: str
    offered: tuple[str, ...] = ()

    @classmethod
    def of_scope(cls, scope: Mapping[str, Any]) -> Upgrade | None:
        """Return what an ASGI scope asks for, None where its bytes are not handed over."""
        found = (scope.get("extensions") or {}).get("upgrade")
        if found is None:
            return None
        return cls(found["protocol"], tuple(scope.get("subprotocols") or ()))

    def fields(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the client's header fields that go on, but those of `asking`."""
        found = hops.onward(headers)
        found.pop(_STREAM_PROTOCOL.lower(), None)
        return found

    def asking(self) -> list[tuple[str, str]]:
        """Return the header fields by which the next server is asked for the same."""
        fields = [("Connection", "Upgrade"), ("Upgrade", self.protocol)]
        names = [name for name in self.offered if not name.startswith(_BEARER)]
        if self.protocol != _WEBSOCKET:
            fields += [(_STREAM_PROTOCOL, name) for name in names]
        elif names:
            fields.append((_WEBSOCKET_PROTOCOL, ", ".join(names)))
        return fields


def is_websocket(upgrade: Upgrade | None) -> bool:
    """Tell whether the frames of a WebSocket are what comes next."""
    return upgrade is not None and upgrade.protocol == _WEBSOCKET


class InvalidUpgrade(Exception):
    """The server has answered as if nobody had asked for an upgrade."""


async def answered(tunnel: Exchange, upgrade: Upgrade) -> Answer:
    """Return what a server says to an upgrade: a tunnel, or its refusal. InvalidUpgrade."""
    headers = hops.back(tunnel.fields, but=("audit-id",))
    if tunnel.status == SWITCHING:
        headers |= {"Connection": "Upgrade", "Upgrade": upgrade.protocol}
        return Answer(SWITCHING, headers=headers, tunnel=tunnel)
    try:
        if tunnel.status < 400:
            raise InvalidUpgrade(f"invalid upgrade response: status code {tunnel.status}")
        text = await _refusal(tunnel)
    finally:
        tunnel.close()
    kind = hops.content_type(tunnel.fields, _TEXT)
    return Answer(tunnel.status, text=text, content_type=kind, headers=headers)


async def _refusal(tunnel: Exchange) -> bytes:
    """Return as much of a body as comes in time."""
    body = bytearray()
    try:
        async with asyncio.timeout(REFUSAL_TIMEOUT):
            async for chunk in tunnel.body():
                body += chunk
                if len(body) > MAX_REFUSAL:
                    break
    except (OSError, EOFError):
        pass  # what there is goes back: the connection ends with it anyway
    return bytes(body[:MAX_REFUSAL])


async def serve(answer: Answer, tunnel: Exchange, clock: Clock, receive: Any, send: Any) -> None:
    """Accept a client's upgrade, and copy until one side goes, or both are silent for long."""
    tasks: list[asyncio.Task[None]] = []
    idle = _Idle(clock, tunnel)
    try:
        await receive()  # websocket.connect
        fields = [(k.lower().encode(), v.encode("latin-1")) for k, v in answer.headers.items()]
        await send({"type": "websocket.accept", "headers": fields})
        tasks += [
            asyncio.ensure_future(_there(tunnel, receive, idle)),
            asyncio.ensure_future(_back(tunnel, send, idle)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        idle.end()
        tunnel.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await send({"type": "websocket.close"})


async def _there(tunnel: Exchange, receive: Any, idle: _Idle) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        idle.touch()
        await tunnel.write(message["bytes"])


async def _back(tunnel: Exchange, send: Any, idle: _Idle) -> None:
    while data := await tunnel.read():
        idle.touch()
        await send({"type": "websocket.send", "bytes": data})


class _Idle:
    """Closes a tunnel in which nothing has moved for long, with one timer for all its life."""

    def __init__(self, clock: Clock, tunnel: Exchange) -> None:
        self._clock, self._tunnel = clock, tunnel
        self._last = clock.seconds()
        self._timer: Timer = clock.call_later(IDLE, self._look)

    def touch(self) -> None:
        self._last = self._clock.seconds()

    def end(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        left = self._last + IDLE - self._clock.seconds()
        if left > 0:
            self._timer = self._clock.call_later(left, self._look)
        else:
            self._tunnel.close()
