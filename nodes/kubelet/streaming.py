"""exec and attach: a session between a program and a client, and how a WebSocket carries it.

On a WebSocket these are the channels of v5.channel.k8s.io and its predecessors. Each message is
a channel number and bytes: 0 stdin, 1 stdout, 2 stderr, 3 the outcome as a Status, 4 the
terminal's size as JSON. In v5 the message 255, N closes channel N. The base64 variants have the
number as a digit and the rest encoded. What carries the messages is an ASGI WebSocket: plain
callables, so that this knows no framework.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from nodes.runtime.cri import STDERR, STDOUT, RuntimeCallError, Session

V5 = "v5.channel.k8s.io"
BASE64 = "base64.channel.k8s.io"
# The newest first; the last two are what clients of old speak.
PROTOCOLS = (V5, "v4.channel.k8s.io", f"v4.{BASE64}", "channel.k8s.io", BASE64, "")

STDIN, OUTCOME, RESIZE, CLOSE = 0, 3, 4, 255
# Seconds after which a client is asked whether it is still there, while nothing it says is read.
ASK_AGAIN = 30.0

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def choose(offered: Sequence[str]) -> str | None:
    """Return the newest protocol that both know, None if there is none."""
    wanted = list(offered) or [""]
    return next((protocol for protocol in PROTOCOLS if protocol in wanted), None)


def outcome(exit_code: int) -> dict[str, Any]:
    """Return the Status that ends a session."""
    if exit_code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {exit_code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(exit_code)}]},
    }


def failure(message: str) -> dict[str, Any]:
    """Return the Status of a session that could not be had."""
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: {message}",
        "reason": "InternalError",
        "details": {"causes": [{"message": message}]},
        "code": 500,
    }


class Client(Protocol):
    """The client's end of a session."""

    async def put(self, stream: int, data: bytes) -> None:
        """Send output (STDOUT or STDERR)."""

    async def end(self, status: dict[str, Any]) -> None:
        """Send the outcome, and close."""

    async def feed(self, session: Session) -> None:
        """Hand input and sizes on until the client has left."""


async def serve(
    protocol: str,
    begin: Callable[[], Awaitable[Session]],
    receive: Receive,
    send: Send,
) -> None:
    """Serve one session over an accepted WebSocket, until the program or the client has ended."""
    await run(_Channels(protocol, receive, send), begin)


async def run(client: Client, begin: Callable[[], Awaitable[Session]]) -> None:
    """Run one session until the program or the client has ended."""
    try:
        session = await begin()
    except RuntimeCallError as error:
        await client.end(failure(str(error)))
        return
    reading = asyncio.ensure_future(client.feed(session))
    writing = asyncio.ensure_future(_write(client, session))
    try:
        await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
        if writing.done() and writing.exception() is None:
            code = await session.wait()
            with contextlib.suppress(OSError, RuntimeError):
                await client.end(outcome(code))
    finally:
        for task in (reading, writing):
            task.cancel()
        try:
            await asyncio.gather(reading, writing, return_exceptions=True)
        finally:
            await session.close()


async def hand_over(work: Coroutine[Any, Any, None], ask: Callable[[], Awaitable[None]]) -> None:
    """Wait for a program to take its input. `ask` raises OSError where the client has left.

    What a client says is not read meanwhile, and so neither that it leaves.
    """
    working = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait((working,), timeout=ASK_AGAIN))[0]:
            await ask()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    working.result()


async def _write(client: Client, session: Session) -> None:
    async for stream, data in session.output():
        if stream in (STDOUT, STDERR):
            await client.put(stream, data)


def resize(session: Session, size: Any) -> None:
    """Pass a terminal's size on; one that makes no sense changes nothing."""
    with contextlib.suppress(ValueError, KeyError, TypeError, OverflowError):
        session.resize(int(size["Width"]), int(size["Height"]))


async def _input(session: Session, data: bytes) -> None:
    with contextlib.suppress(OSError):
        await session.write_stdin(data)


class _Channels:
    """Messages to and from channels, in the chosen protocol."""

    def __init__(self, protocol: str, receive: Receive, send: Send) -> None:
        self._text = protocol.endswith(BASE64)
        self._closes = protocol == V5
        self._receive, self._send = receive, send

    async def put(self, stream: int, data: bytes) -> None:
        if self._text:
            text = f"{stream}{base64.b64encode(data).decode()}"
            await self._send({"type": "websocket.send", "text": text})
        else:
            await self._send({"type": "websocket.send", "bytes": bytes((stream,)) + data})

    async def end(self, status: dict[str, Any]) -> None:
        await self.put(OUTCOME, json.dumps(status).encode())
        await self._send({"type": "websocket.close", "code": 1000})

    async def feed(self, session: Session) -> None:
        while (message := await self._receive())["type"] != "websocket.disconnect":
            decoded = self.decode(message)
            if decoded is None:
                continue
            channel, data = decoded
            if channel == STDIN:
                await hand_over(_input(session, data), self._ask)
            elif channel == RESIZE:
                with contextlib.suppress(ValueError, RecursionError):
                    resize(session, json.loads(data))
            elif channel == CLOSE and data[:1] == b"\x00":
                session.close_stdin()

    async def _ask(self) -> None:
        await self.put(STDOUT, b"")

    def decode(self, message: Mapping[str, Any]) -> tuple[int, bytes] | None:
        """Return (channel, data), None for what is empty or makes no sense."""
        if self._text and message.get("text"):
            text = message["text"]
            if not text[0].isdigit():
                return None
            try:
                return int(text[0]), base64.b64decode(text[1:])
            except ValueError:
                return None
        data = message.get("bytes")
        if data is None and message.get("text") is not None:
            data = message["text"].encode()
        if not data:
            return None
        if data[0] == CLOSE and not self._closes:
            return None
        return data[0], data[1:]
