"""exec and attach over SPDY/3.1: a stream each for input, output, errors, sizes and the outcome.

The client opens the streams, each with its kind in the header `streamtype`; the session begins
once those that it asked for are there. In v4.channel.k8s.io the outcome is a Status in JSON, in
the protocols before it the sentence of a failure, or nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from apimachinery.clock import Clock
from nodes.client.supervise import TaskSet
from nodes.kubelet import streaming
from nodes.kubelet.spdy import Connection, Stream
from nodes.kubelet.spdy_frames import ProtocolError
from nodes.runtime.cri import STDERR, STDOUT, Session

log = logging.getLogger(__name__)

V4, V3, V2, V1 = "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"
PROTOCOLS = (streaming.V5, V4, V3, V2, V1)
_SAYS_STATUS = (streaming.V5, V4)
_RESIZES = (streaming.V5, V4, V3)

ERROR, STDIN, RESIZE = "error", "stdin", "resize"
_OUTPUTS = {STDOUT: "stdout", STDERR: "stderr"}
_KINDS = (ERROR, STDIN, *_OUTPUTS.values(), RESIZE)
# How long a client may take to open its streams, as the kubelet has it.
STREAM_CREATION = 30.0
# A terminal's size is some 30 bytes.
_LARGEST_SIZE = 1024


def choose(offered: Sequence[str]) -> str | None:
    """Return the first of the client's protocols that is spoken, None if there is none."""
    return next((protocol for protocol in offered if protocol in PROTOCOLS), None)


def expected(protocol: str, asked: Collection[str], *, tty: bool) -> set[str]:
    """Return the kinds of streams without which a session does not begin."""
    return {ERROR, *asked} | ({RESIZE} if tty and protocol in _RESIZES else set())


class SpdyClient:
    """Keeps streaming.Client: the streams of one session, as they come."""

    def __init__(self, protocol: str, wanted: Collection[str], clock: Clock) -> None:
        self.complete, self.left = asyncio.Event(), asyncio.Event()
        self._protocol, self._wanted, self._clock = protocol, set(wanted), clock
        self._streams: dict[str, Stream] = {}

    def take(self, stream: Stream) -> bool:
        """Take a new stream; False if its kind is not known or there already."""
        kind = stream.fields.get("streamtype", "")
        if kind not in _KINDS or kind in self._streams:
            return False
        self._streams[kind] = stream
        if self._wanted <= self._streams.keys():
            self.complete.set()
        return True

    async def ready(self) -> bool:
        """Wait for the streams; False if the client leaves or takes too long."""
        timer = self._clock.call_later(STREAM_CREATION, self.left.set)
        first = [asyncio.ensure_future(event.wait()) for event in (self.complete, self.left)]
        try:
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            for task in first:
                task.cancel()
        return self.complete.is_set()

    async def put(self, stream: int, data: bytes) -> None:
        if (target := self._streams.get(_OUTPUTS[stream])) is not None:
            await _write(target, data)

    async def end(self, status: dict[str, Any]) -> None:
        for kind in _OUTPUTS.values():
            if kind in self._streams:
                await self._streams[kind].finish()
        errors = self._streams[ERROR]
        if self._protocol in _SAYS_STATUS:
            await _write(errors, json.dumps(status).encode())
        elif status["status"] != "Success":
            await _write(errors, status["message"].encode())
        await errors.finish()

    async def feed(self, session: Session) -> None:
        tasks = TaskSet(self._clock, "exec")
        for kind in (ERROR, *_OUTPUTS.values()):
            if kind in self._streams:
                self._streams[kind].drop()  # nothing is to come from there
        if STDIN in self._streams:
            tasks.spawn(STDIN, _pass_input(self._streams[STDIN], session))
        if RESIZE in self._streams:
            tasks.spawn(RESIZE, _pass_sizes(self._streams[RESIZE], session))
        try:
            await self.left.wait()
        finally:
            await tasks.close()


async def _write(stream: Stream, data: bytes) -> None:
    """Send data; what a client no longer wants is dropped."""
    with contextlib.suppress(BrokenPipeError):
        await stream.write(data)


async def _pass_input(stream: Stream, session: Session) -> None:
    with contextlib.suppress(OSError):
        while data := await stream.read():
            await session.write_stdin(data)
    stream.drop()
    session.close_stdin()


async def _pass_sizes(stream: Stream, session: Session) -> None:
    """Read one JSON object after another, cut anywhere."""
    decoder, text = json.JSONDecoder(), ""
    while data := await stream.read():
        text = (text + data.decode("latin-1")).lstrip()
        with contextlib.suppress(ValueError, RecursionError):
            while text:
                size, end = decoder.raw_decode(text)
                text = text[end:].lstrip()
                streaming.resize(session, size)
        if len(text) > _LARGEST_SIZE:
            break
    stream.drop()


async def serve(
    client: SpdyClient,
    begin: Callable[[], Awaitable[Session]],
    clock: Clock,
    receive: streaming.Receive,
    send: streaming.Send,
) -> None:
    """Serve one session over an upgraded connection, until the program or the client has ended."""

    async def transport(data: bytes) -> None:
        await send({"type": "websocket.send", "bytes": data})

    connection = Connection(transport, client.take, clock)

    async def listen() -> None:
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                await connection.receive(message["bytes"])
        except ProtocolError as error:
            log.info("exec: %s", error)
        finally:
            client.left.set()
            connection.close()  # or what waits for the client's windows would wait for ever

    listening = TaskSet(clock, "exec")
    listening.spawn("listen", listen())
    try:
        if await client.ready():
            await streaming.run(client, begin)
        await connection.go_away()
        await send({"type": "websocket.close", "code": 1000})
    finally:
        connection.close()
        await listening.close()
