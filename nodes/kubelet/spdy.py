"""The serving side of a SPDY/3.1 connection: streams that the client opens, over any transport.

What is kept for a stream that nobody reads is bounded: the windows say so to clients that heed
them, and a connection whose client does not heed them is not read on until there is room. A
stream that makes the others wait for too long is reset. Sending waits for the transport, and
for the client's windows once it has shown that it keeps any (Go's clients do not).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from apimachinery.clock import Clock
from nodes.kubelet import spdy_frames as frames
from nodes.kubelet.spdy_frames import (
    Data,
    Decoder,
    Encoder,
    Fields,
    Frame,
    GoAway,
    MoreHeaders,
    Ping,
    ProtocolError,
    Reset,
    Settings,
    SynReply,
    SynStream,
    WindowUpdate,
)

# What one data frame carries.
CHUNK = 32 * 1024
# The window that both sides begin with, and how much is taken before it is opened again.
WINDOW = 64 * 1024
_OPEN_AFTER = WINDOW // 2
# What a client that heeds no window may have under way, in one stream.
LARGEST_BACKLOG = 1024 * 1024
LARGEST_STREAMS = 512
# How long one stream that is not read may keep the others waiting.
PATIENCE = 30.0
_LARGEST_WINDOW = 2**31 - 1

SendBytes = Callable[[bytes], Awaitable[None]]


class Stream:
    """One stream, seen from the serving side."""

    def __init__(self, connection: Connection, number: int, fields: Fields, window: int) -> None:
        self.number, self.fields = number, fields
        self.window = window  # what may still be sent
        self.reset = False
        self.received_all = self.sent_all = False
        self._connection = connection
        self._chunks: deque[bytes] = deque()
        self._backlog = self._untold = 0
        self._changed = asyncio.Event()

    @property
    def over(self) -> bool:
        return self.reset or (self.received_all and self.sent_all)

    @property
    def overfull(self) -> bool:
        return self._backlog > LARGEST_BACKLOG and not self.over

    # -- for who uses it -------------------------------------------------------------------------

    async def read(self) -> bytes:
        """Return some bytes, waiting for the first; b"" at the end."""
        while not self._chunks:
            if self.received_all or self.reset:
                return b""
            await self.change()
        chunk = self._chunks.popleft()
        self._backlog -= len(chunk)
        self._untold += len(chunk)
        self._changed.set()
        if self._untold >= _OPEN_AFTER and not self.received_all:
            untold, self._untold = self._untold, 0
            await self._connection.send(WindowUpdate(self.number, untold))
        return chunk

    async def write(self, data: bytes) -> None:
        """Send bytes. Raises BrokenPipeError where the client has given the stream up."""
        for start in range(0, len(data), CHUNK):
            rest = data[start : start + CHUNK]
            while rest:
                room = await self._room(len(rest))
                await self._connection.send(Data(self.number, rest[:room]))
                rest = rest[room:]

    async def finish(self) -> None:
        """Say that nothing more will be sent."""
        if not (self.sent_all or self.reset):
            self.sent_all = True
            await self._connection.send(Data(self.number, b"", fin=True))
            self._connection.forget(self)

    async def give_up(self, status: int = frames.CANCEL) -> None:
        """Reset the stream."""
        if not self.over:
            self.on_reset()
            await self._connection.send(Reset(self.number, status))

    def drop(self) -> None:
        """Keep nothing of what the client still sends."""
        self._chunks.clear()
        self._backlog = 0
        self.received_all = True
        self._changed.set()
        self._connection.forget(self)

    async def _room(self, wanted: int) -> int:
        """Return how much may be sent now, waiting for the first byte of it."""
        while True:
            if self.reset:
                raise BrokenPipeError("the stream was reset")
            room = self._connection.room(self, wanted)
            if room > 0:
                return room
            await self.change()

    # -- for the connection ----------------------------------------------------------------------

    async def change(self) -> None:
        """Wait until something about the stream is different."""
        self._changed.clear()
        await self._changed.wait()

    def on_data(self, data: bytes, *, fin: bool) -> None:
        if data and not self.received_all:
            self._chunks.append(data)
            self._backlog += len(data)
        if fin:
            self.received_all = True
        self._changed.set()

    def on_reset(self) -> None:
        self.reset = True
        self._chunks.clear()
        self._backlog = 0
        self._changed.set()
        self._connection.forget(self)

    def on_window(self) -> None:
        self._changed.set()


OnStream = Callable[[Stream], bool]


class Connection:
    """The streams of one connection. `on_stream` takes a new one, or returns False to refuse it."""

    def __init__(self, send: SendBytes, on_stream: OnStream, clock: Clock) -> None:
        self._transport, self._on_stream, self._clock = send, on_stream, clock
        self._encoder, self._decoder = Encoder(), Decoder()
        self._order = asyncio.Lock()
        self._streams: dict[int, Stream] = {}
        self._last = 0
        self._leaving = False
        # The client's windows, heeded once it has shown that it moves them.
        self._windows = False
        self._first_window = self._window = WINDOW
        self._untold = 0

    # -- out -------------------------------------------------------------------------------------

    async def send(self, frame: Frame) -> None:
        """Send a frame; waits while the transport is full."""
        async with self._order:
            await self._transport(self._encoder.encode(frame))

    def room(self, stream: Stream, wanted: int) -> int:
        """Take up to `wanted` bytes of the client's windows; return how many that were."""
        taken = max(min(wanted, stream.window, self._window), 0) if self._windows else wanted
        stream.window -= taken
        self._window -= taken
        return taken

    def forget(self, stream: Stream) -> None:
        if stream.over:
            self._streams.pop(stream.number, None)

    # -- in --------------------------------------------------------------------------------------

    async def receive(self, data: bytes) -> None:
        """Take bytes of the client. Raises ProtocolError; waits where a stream has no room."""
        for frame in self._decoder.feed(data):
            await self._take(frame)

    def close(self) -> None:
        """The transport has gone: whoever reads or writes a stream learns it."""
        for stream in list(self._streams.values()):
            stream.on_reset()

    async def go_away(self, status: int = 0) -> None:
        """Tell the client that no more streams are taken."""
        self._leaving = True
        await self.send(GoAway(self._last, status))

    async def _take(self, frame: Frame) -> None:
        match frame:
            case Data():
                await self._data(frame)
            case SynStream():
                await self._open(frame)
            case Reset(number):
                self._reset(number)
            case Ping(number) if number % 2:  # the client's own; answers to ours would be even
                await self.send(frame)
            case MoreHeaders(number, _, True):
                await self._data(Data(number, b"", fin=True))
            case WindowUpdate(number, delta):
                await self._open_window(number, delta)
            case Settings(int() as size):
                self._resize_windows(size)
            case GoAway():
                self._leaving = True

    async def _open(self, frame: SynStream) -> None:
        number = frame.stream
        if number % 2 == 0 or number <= self._last:
            known = number in self._streams
            status = frames.STREAM_IN_USE if known else frames.PROTOCOL_ERROR
            await self.send(Reset(number, status))
            return
        self._last = number
        if self._leaving or len(self._streams) >= LARGEST_STREAMS:
            await self.send(Reset(number, frames.REFUSED_STREAM))
            return
        stream = Stream(self, number, frame.fields, self._first_window)
        stream.received_all = frame.fin
        self._streams[number] = stream
        # The reply goes first: data before it would be lost on the client.
        await self.send(SynReply(number))
        if not self._on_stream(stream):
            await stream.give_up(frames.REFUSED_STREAM)

    async def _data(self, frame: Data) -> None:
        self._untold += len(frame.data)
        if self._untold >= _OPEN_AFTER:
            untold, self._untold = self._untold, 0
            await self.send(WindowUpdate(0, untold))
        stream = self._streams.get(frame.stream)
        if stream is None:
            # What was under way when a stream ended is nobody's any more.
            if frame.stream > self._last:
                await self.send(Reset(frame.stream, frames.INVALID_STREAM))
            return
        stream.on_data(frame.data, fin=frame.fin)
        self.forget(stream)
        if stream.overfull:
            await self._wait_for(stream)

    def _reset(self, number: int) -> None:
        if stream := self._streams.get(number):
            stream.on_reset()

    async def _wait_for(self, stream: Stream) -> None:
        """Wait until a stream has room again; reset it if that takes too long."""
        late = asyncio.Event()

        def on_late() -> None:
            late.set()
            stream.on_window()

        timer = self._clock.call_later(PATIENCE, on_late)
        try:
            while stream.overfull and not late.is_set():
                await stream.change()
        finally:
            timer.cancel()
        if stream.overfull:
            await stream.give_up(frames.FLOW_CONTROL_ERROR)

    def _resize_windows(self, size: int) -> None:
        self._windows = True
        for stream in self._streams.values():
            stream.window += size - self._first_window
            stream.on_window()
        self._first_window = size

    async def _open_window(self, number: int, delta: int) -> None:
        self._windows = True
        stream = self._streams.get(number)
        if number == 0:
            self._window += delta
            if self._window > _LARGEST_WINDOW:
                raise ProtocolError("the connection's window is too large")
            for one in self._streams.values():
                one.on_window()
        elif stream is not None:
            stream.window += delta
            if not delta or stream.window > _LARGEST_WINDOW:
                await stream.give_up(frames.FLOW_CONTROL_ERROR)
            stream.on_window()
