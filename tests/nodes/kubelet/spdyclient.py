"""The client's side of a SPDY connection in memory, on an ASGI WebSocket or straight."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from nodes.kubelet.spdy_frames import (
    Data,
    Decoder,
    Encoder,
    Frame,
    Reset,
    SynReply,
    SynStream,
)


class SpdyClient:
    """Opens streams and collects what comes back; `messages` is what the server receives."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self.encoder, self.decoder = Encoder(), Decoder()
        self.frames: list[Frame] = []
        self.said: defaultdict[int, bytes] = defaultdict(bytes)
        self.ended: set[int] = set()
        self.replied: set[int] = set()
        self.resets: dict[int, int] = {}
        self.closed: int | None = None
        self._next = 1

    # -- the server's callables ------------------------------------------------------------------

    async def receive(self) -> dict[str, object]:
        return await self.messages.get()

    async def send(self, message: dict[str, object]) -> None:
        if message["type"] == "websocket.close":
            self.closed = int(str(message["code"]))
        else:
            await self.take(bytes(message["bytes"]))  # type: ignore[call-overload]

    async def take(self, data: bytes) -> None:
        for frame in self.decoder.feed(data):
            self.frames.append(frame)
            match frame:
                case Data(stream, piece, fin):
                    self.said[stream] += piece
                    if fin:
                        self.ended.add(stream)
                case SynReply(stream):
                    self.replied.add(stream)
                case Reset(stream, status):
                    self.resets[stream] = status

    # -- what a test does ------------------------------------------------------------------------

    def put(self, *frames: Frame) -> None:
        data = b"".join(self.encoder.encode(frame) for frame in frames)
        self.messages.put_nowait({"type": "websocket.receive", "bytes": data})

    def open(self, *, fin: bool = False, **fields: str) -> int:
        number, self._next = self._next, self._next + 2
        self.put(SynStream(number, fields, fin))
        return number

    def connect(self, port: int, request: str = "0") -> tuple[int, int]:
        """Open a pair of streams as kubectl does; return those of errors and data."""
        errors = self.open(streamtype="error", port=str(port), requestid=request)
        self.put(Data(errors, b"", fin=True))
        return errors, self.open(streamtype="data", port=str(port), requestid=request)

    def leave(self) -> None:
        self.messages.put_nowait({"type": "websocket.disconnect", "code": 1006})
