"""port-forward by channels: two for each port, 2n for data and 2n + 1 for what went wrong.

The first message of each channel is its port, as two bytes. There is no way to say that one
direction has ended: a port's connection lives until the pod closes it or the client leaves.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nodes.kubelet.portforward import BASE64, Dial, Receive, Send, refusal
from nodes.kubelet.streaming import hand_over
from nodes.network.stream import ByteStream
from nodes.runtime.cri import RuntimeCallError

# The pod's end of one port, None once it is known that there will not be one.
_End = asyncio.Future[ByteStream | None]


class Channels:
    """Messages to and from channels."""

    def __init__(self, protocol: str, send: Send) -> None:
        self._text = protocol == BASE64
        self._send = send

    async def put(self, channel: int, data: bytes) -> None:
        if self._text:
            text = f"{chr(ord('0') + channel)}{base64.b64encode(data).decode()}"
            await self._send({"type": "websocket.send", "text": text})
        else:
            await self._send({"type": "websocket.send", "bytes": bytes((channel,)) + data})

    def take(self, message: Mapping[str, Any]) -> tuple[int, bytes] | None:
        """Return (channel, data), None for what makes no sense."""
        if not self._text:
            data = message.get("bytes") or b""
            return (data[0], data[1:]) if data else None
        text = message.get("text") or ""
        try:
            return ord(text[0]) - ord("0"), base64.b64decode(text[1:])
        except (ValueError, IndexError):
            return None


async def serve_channels(
    protocol: str, ports: Sequence[int], dial: Dial, sandbox: str, receive: Receive, send: Send
) -> None:
    """Serve one connection to each of the ports until all have ended or the client leaves."""
    channels = Channels(protocol, send)
    loop = asyncio.get_running_loop()
    ends: list[_End] = [loop.create_future() for _ in ports]
    for number, port in enumerate(ports):
        for channel in (2 * number, 2 * number + 1):
            await channels.put(channel, port.to_bytes(2, "little"))

    async def forward(number: int, port: int) -> None:
        try:
            pod = await dial(port)
        except (OSError, RuntimeCallError) as error:
            ends[number].set_result(None)
            await channels.put(2 * number + 1, refusal(error, sandbox, port).encode())
            return
        ends[number].set_result(pod)
        try:
            while data := await pod.read():
                await channels.put(2 * number, data)
        finally:
            pod.close()

    forwards = [asyncio.ensure_future(forward(*one)) for one in enumerate(ports)]
    writing = asyncio.gather(*forwards)
    reading = asyncio.ensure_future(_read(channels, ends, receive))
    try:
        await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
        if writing.done():
            await send({"type": "websocket.close", "code": 1000})
    finally:
        # One that fails ends the gathering, and not the others.
        for task in (reading, *forwards):
            task.cancel()
        await asyncio.gather(reading, writing, *forwards, return_exceptions=True)


async def _read(channels: Channels, ends: Sequence[_End], receive: Receive) -> None:
    while (message := await receive())["type"] != "websocket.disconnect":
        taken = channels.take(message)
        if taken is None or taken[0] % 2 or not 0 <= taken[0] // 2 < len(ends):
            continue
        pod = await asyncio.shield(ends[taken[0] // 2])
        if pod is not None:
            await hand_over(_write(pod, taken[1]), partial(channels.put, taken[0], b""))


async def _write(pod: ByteStream, data: bytes) -> None:
    # The pod may have closed; what still comes is nobody's.
    with contextlib.suppress(OSError):
        await pod.write(data)
