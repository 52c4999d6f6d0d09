"""port-forward as kubectl speaks it: SPDY/3.1, inside one WebSocket or as the connection itself.

For each connection the client opens a stream for errors and one for data, which belong together
by their `requestid`. Each pair is bridged to one connection into the pod, with the backpressure
of either side carried over to the other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from apimachinery.clock import Clock, Timer
from nodes.client.supervise import TaskSet
from nodes.kubelet.portforward import Dial, Receive, Send, parse_port, refusal
from nodes.kubelet.spdy import Connection, Stream
from nodes.kubelet.spdy_frames import ProtocolError
from nodes.network.stream import ByteStream
from nodes.runtime.cri import RuntimeCallError

log = logging.getLogger(__name__)

PROTOCOLS = ("portforward.k8s.io",)
# A stream that finds no partner by then is given up, as the kubelet does.
PAIRING = 30.0


def choose(offered: Sequence[str]) -> str | None:
    """Return the protocol of an upgrade to SPDY, None if it is not among those offered."""
    return next((protocol for protocol in offered if protocol in PROTOCOLS), None)


class _Pair:
    """The two streams of one connection, as far as they have come."""

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = {}
        self.timer: Timer | None = None


class Forwarder:
    """Pairs the streams of one SPDY connection, and bridges each pair to a port of the pod."""

    def __init__(self, dial: Dial, sandbox: str, clock: Clock, tasks: TaskSet) -> None:
        self._dial, self._sandbox, self._clock, self._tasks = dial, sandbox, clock, tasks
        self._pairs: dict[str, _Pair] = {}

    def take(self, stream: Stream) -> bool:
        """Take a new stream; False if its headers make no sense or its place is taken."""
        kind = stream.fields.get("streamtype", "")
        try:
            port = parse_port(stream.fields.get("port", ""))
        except ValueError:
            return False
        if kind not in ("data", "error"):
            return False
        request = _request_id(stream, kind)
        pair = self._pairs.setdefault(request, _Pair())
        if kind in pair.streams:
            return False
        pair.streams[kind] = stream
        if len(pair.streams) == 1:
            pair.timer = self._clock.call_later(PAIRING, self._give_up, request)
            return True
        if pair.timer is not None:
            pair.timer.cancel()
        del self._pairs[request]
        data = pair.streams["data"]
        port = parse_port(data.fields["port"])
        self._tasks.spawn("forward", self._forward(data, pair.streams["error"], port))
        return True

    def close(self) -> None:
        for pair in self._pairs.values():
            if pair.timer is not None:
                pair.timer.cancel()
        self._pairs.clear()

    def _give_up(self, request: str) -> None:
        pair = self._pairs.pop(request, None)
        for stream in pair.streams.values() if pair else ():
            self._tasks.spawn("give up", stream.give_up())

    async def _forward(self, data: Stream, errors: Stream, port: int) -> None:
        errors.drop()
        try:
            connection = await self._dial(port)
        except (OSError, RuntimeCallError) as error:
            await _say(errors, refusal(error, self._sandbox, port))
        else:
            await _bridge(data, connection)
        # The client waits for the end of both, and for that of errors last.
        data.drop()
        await data.finish()
        await errors.finish()


def _request_id(stream: Stream, kind: str) -> str:
    """Return what both streams of a connection have in common, even where it is not said."""
    if "requestid" in stream.fields:
        return stream.fields["requestid"]
    return f"#{stream.number if kind == 'error' else stream.number - 2}"


async def _say(errors: Stream, text: str) -> None:
    try:
        await errors.write(text.encode())
    except BrokenPipeError:
        log.debug("nobody heard: %s", text)


async def _bridge(client: Stream, pod: ByteStream) -> None:
    """Carry bytes both ways until the pod has nothing more to say, or the client left."""
    sending = asyncio.ensure_future(_send_to(pod, client))
    try:
        while data := await pod.read():
            await client.write(data)
    except OSError:
        log.debug("a forwarded connection broke")
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        pod.close()


async def _send_to(pod: ByteStream, client: Stream) -> None:
    try:
        while data := await client.read():
            await pod.write(data)
    except OSError:
        client.drop()  # the pod closed; what still comes is nobody's
        return
    if client.reset:
        pod.close()
    else:
        pod.close_write()


async def serve_spdy(dial: Dial, sandbox: str, clock: Clock, receive: Receive, send: Send) -> None:
    """Serve kubectl's connections over an accepted connection until the client leaves."""

    async def transport(data: bytes) -> None:
        await send({"type": "websocket.send", "bytes": data})

    tasks = TaskSet(clock, "port-forward")
    forwarder = Forwarder(dial, sandbox, clock, tasks)
    connection = Connection(transport, forwarder.take, clock)
    try:
        while (message := await receive())["type"] != "websocket.disconnect":
            if (data := message.get("bytes")) is not None:
                await connection.receive(data)
    except ProtocolError as error:
        log.info("port-forward: %s", error)
        await connection.go_away(1)
        await send({"type": "websocket.close", "code": 1002})
    finally:
        connection.close()
        forwarder.close()
        await tasks.close()
