"""A SPDY connection's streams: opened, refused, bounded, reset, and told of windows."""

from __future__ import annotations

import asyncio

import pytest

from nodes.client.loopclock import LoopClock
from nodes.kubelet import spdy, spdy_frames
from nodes.kubelet.spdy import Connection, Stream
from nodes.kubelet.spdy_frames import (
    Data,
    Frame,
    GoAway,
    MoreHeaders,
    Ping,
    ProtocolError,
    Reset,
    Settings,
    SynStream,
    WindowUpdate,
)
from tests.nodes.kubelet.spdyclient import SpdyClient
from tests.support.eventually import eventually


class Rig:
    """A connection whose client is in the test's hands."""

    def __init__(self) -> None:
        self.client = SpdyClient()
        self.streams: list[Stream] = []
        self.clock = LoopClock()
        self.refusing = False
        self.connection = Connection(self.client.take, self._on_stream, self.clock)

    def _on_stream(self, stream: Stream) -> bool:
        self.streams.append(stream)
        return not self.refusing

    async def put(self, *frames: Frame) -> None:
        for frame in frames:
            await self.connection.receive(self.client.encoder.encode(frame))

    async def open(self, number: int = 1) -> Stream:
        await self.put(SynStream(number, {"n": str(number)}))
        return self.streams[-1]


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_stream_there_and_back(rig: Rig) -> None:
    stream = await rig.open()
    assert rig.client.replied == {1}
    assert stream.fields == {"n": "1"}
    await rig.put(Data(1, b"ping"), Data(1, b"", fin=True))
    assert [await stream.read(), await stream.read()] == [b"ping", b""]
    await stream.write(b"pong")
    await stream.finish()
    assert rig.client.said[1] == b"pong"
    assert rig.client.ended == {1}
    assert stream.over


async def test_long_writes_go_out_in_chunks(rig: Rig) -> None:
    stream = await rig.open()
    await stream.write(b"x" * (3 * spdy.CHUNK + 1))
    sizes = [len(f.data) for f in rig.client.frames if isinstance(f, Data)]
    assert sizes == [spdy.CHUNK] * 3 + [1]


async def test_the_clients_pings_are_answered_alone(rig: Rig) -> None:
    await rig.put(Ping(1), Ping(2))
    assert rig.client.frames == [Ping(1)]


async def test_ends_in_headers_and_at_once(rig: Rig) -> None:
    stream = await rig.open()
    await rig.put(MoreHeaders(1, {}, fin=True))
    assert await stream.read() == b""
    await rig.put(SynStream(3, {}, fin=True))
    assert await rig.streams[-1].read() == b""


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (2, spdy_frames.PROTOCOL_ERROR),
        (3, spdy_frames.PROTOCOL_ERROR),
        (5, spdy_frames.STREAM_IN_USE),
    ],
)
async def test_numbers_that_cannot_be(rig: Rig, number: int, status: int) -> None:
    await rig.open(5)
    await rig.put(SynStream(number, {}))
    assert rig.client.resets == {number: status}
    assert len(rig.streams) == 1


async def test_refused_streams(rig: Rig) -> None:
    rig.refusing = True
    await rig.open()
    assert rig.client.resets == {1: spdy_frames.REFUSED_STREAM}


async def test_no_more_streams_than_there_may_be(rig: Rig) -> None:
    for number in range(spdy.LARGEST_STREAMS + 1):
        await rig.put(SynStream(2 * number + 1, {}))
    assert rig.client.resets == {2 * spdy.LARGEST_STREAMS + 1: spdy_frames.REFUSED_STREAM}
    await rig.put(Reset(1, spdy_frames.CANCEL))
    await rig.open(9999)
    assert 9999 in rig.client.replied


async def test_no_streams_after_going_away(rig: Rig) -> None:
    await rig.open()
    await rig.put(GoAway(0))
    await rig.put(SynStream(3, {}))
    assert rig.client.resets == {3: spdy_frames.REFUSED_STREAM}


async def test_data_for_nobody(rig: Rig) -> None:
    stream = await rig.open()
    await rig.put(Reset(1, spdy_frames.CANCEL), Data(1, b"late"), Data(7, b"never"))
    assert rig.client.resets == {7: spdy_frames.INVALID_STREAM}
    assert await stream.read() == b""
    with pytest.raises(BrokenPipeError):
        await stream.write(b"x")


async def test_windows_are_opened_as_data_is_read(rig: Rig) -> None:
    stream = await rig.open()
    await rig.put(Data(1, b"x" * spdy.WINDOW))
    updates = [f for f in rig.client.frames if isinstance(f, WindowUpdate)]
    assert updates == [WindowUpdate(0, spdy.WINDOW)]
    await stream.read()
    assert rig.client.frames[-1] == WindowUpdate(1, spdy.WINDOW)


async def test_a_client_without_windows_is_not_waited_for(rig: Rig) -> None:
    stream = await rig.open()
    async with asyncio.timeout(1):
        await stream.write(b"x" * (4 * spdy.WINDOW))
    assert len(rig.client.said[1]) == 4 * spdy.WINDOW


async def test_a_clients_windows_are_heeded(rig: Rig) -> None:
    stream = await rig.open()
    await rig.put(Settings(100), WindowUpdate(0, 10_000))
    writing = asyncio.ensure_future(stream.write(b"x" * 350))
    await asyncio.sleep(0)
    assert len(rig.client.said[1]) == 100
    await rig.put(WindowUpdate(1, 200))
    await asyncio.sleep(0)
    assert len(rig.client.said[1]) == 300
    await rig.put(WindowUpdate(1, 200))
    await writing
    assert len(rig.client.said[1]) == 350


async def test_the_connections_window_is_heeded(rig: Rig) -> None:
    stream = await rig.open()
    await rig.put(Settings(10 * spdy.WINDOW))
    writing = asyncio.ensure_future(stream.write(b"x" * (2 * spdy.WINDOW)))
    await asyncio.sleep(0)
    assert len(rig.client.said[1]) == spdy.WINDOW
    await rig.put(WindowUpdate(0, spdy.WINDOW))
    await writing
    assert len(rig.client.said[1]) == 2 * spdy.WINDOW


async def test_windows_that_cannot_be(rig: Rig) -> None:
    await rig.open()
    await rig.put(WindowUpdate(1, 2**31 - 1))
    assert rig.client.resets == {1: spdy_frames.FLOW_CONTROL_ERROR}
    with pytest.raises(ProtocolError):
        await rig.put(WindowUpdate(0, 2**31 - 1))


async def test_a_writer_in_wait_learns_of_the_reset(rig: Rig) -> None:
    stream = await rig.open()
    await rig.put(Settings(0))
    writing = asyncio.ensure_future(stream.write(b"x"))
    await asyncio.sleep(0)
    await rig.put(Reset(1, spdy_frames.CANCEL))
    with pytest.raises(BrokenPipeError):
        await writing


async def test_reading_on_waits_for_room(rig: Rig) -> None:
    stream = await rig.open()
    much = Data(1, b"x" * (spdy.LARGEST_BACKLOG // 4))
    putting = asyncio.ensure_future(rig.put(*[much] * 6))
    await eventually(lambda: stream.overfull)
    assert not putting.done()
    got = 0
    while got < 6 * len(much.data):
        got += len(await stream.read())
    await putting


async def test_a_stream_that_nobody_reads_is_reset(rig: Rig) -> None:
    stream = await rig.open()
    other = await rig.open(3)
    putting = asyncio.ensure_future(
        rig.put(Data(1, b"x" * (spdy.LARGEST_BACKLOG + 1)), Data(3, b"patient"))
    )
    await eventually(lambda: stream.overfull)
    rig.clock.step(spdy.PATIENCE + 1)
    await putting
    assert rig.client.resets == {1: spdy_frames.FLOW_CONTROL_ERROR}
    assert await other.read() == b"patient"


async def test_everything_ends_with_the_connection(rig: Rig) -> None:
    stream = await rig.open()
    reading = asyncio.ensure_future(stream.read())
    await asyncio.sleep(0)
    rig.connection.close()
    assert await reading == b""
    assert stream.over
