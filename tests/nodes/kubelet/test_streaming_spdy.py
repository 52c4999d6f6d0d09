"""exec and attach over SPDY: streams by their kind, input, sizes, outcomes, and who leaves when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from apimachinery.clock import ManualClock
from nodes.kubelet import streaming_spdy
from nodes.kubelet.spdy_frames import CANCEL, REFUSED_STREAM, Data, GoAway, Reset, Settings
from nodes.kubelet.streaming_spdy import STREAM_CREATION, V3, V4
from nodes.runtime.cri import STDERR, STDOUT, Code, RuntimeCallError
from tests.nodes.kubelet.spdyclient import SpdyClient
from tests.support.eventually import eventually


class Program:
    """A session that says what the test has it say."""

    def __init__(self) -> None:
        self.input = b""
        self.input_ended = self.closed = False
        self.sizes: list[tuple[int, int]] = []
        self.code = 0
        self._said: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue()

    def say(self, stream: int, data: bytes) -> None:
        self._said.put_nowait((stream, data))

    def exit(self, code: int) -> None:
        self.code = code
        self._said.put_nowait(None)

    async def write_stdin(self, data: bytes) -> None:
        self.input += data

    def close_stdin(self) -> None:
        self.input_ended = True

    def resize(self, width: int, height: int) -> None:
        self.sizes.append((width, height))

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while (said := await self._said.get()) is not None:
            yield said

    async def wait(self) -> int:
        return self.code

    async def close(self) -> None:
        self.closed = True


class Rig:
    """A server of one session, and its client."""

    def __init__(self, protocol: str = V4, *, tty: bool = False) -> None:
        self.program, self.client, self.clock = Program(), SpdyClient(), ManualClock()
        self.problem: RuntimeCallError | None = None
        asked = ("stdin", "stdout") if tty else ("stdin", "stdout", "stderr")
        wanted = streaming_spdy.expected(protocol, asked, tty=tty)
        ends = streaming_spdy.SpdyClient(protocol, wanted, self.clock)
        self.serving = asyncio.ensure_future(
            streaming_spdy.serve(
                ends, self._begin, self.clock, self.client.receive, self.client.send
            )
        )
        self.streams: dict[str, int] = {}

    async def _begin(self) -> Program:
        if self.problem is not None:
            raise self.problem
        return self.program

    def open(self, *kinds: str) -> None:
        for kind in kinds:
            self.streams[kind] = self.client.open(streamtype=kind)

    def said(self, kind: str) -> bytes:
        return self.client.said[self.streams[kind]]

    async def over(self) -> None:
        await asyncio.wait_for(self.serving, 10)
        assert self.client.closed == 1000
        assert len(asyncio.all_tasks()) == 1, "something goes on after the end"


ALL = ("error", "stdin", "stdout", "stderr")


async def test_input_output_and_success() -> None:
    rig = Rig()
    rig.open(*ALL)
    rig.client.put(Data(rig.streams["stdin"], b"in", fin=True))
    rig.program.say(STDOUT, b"out")
    rig.program.say(STDERR, b"err")
    await eventually(lambda: rig.program.input_ended)
    rig.program.exit(0)
    await rig.over()
    assert rig.program.input == b"in"
    assert (rig.said("stdout"), rig.said("stderr")) == (b"out", b"err")
    assert json.loads(rig.said("error")) == {"metadata": {}, "status": "Success"}
    assert rig.client.ended == {rig.streams[kind] for kind in ("stdout", "stderr", "error")}
    assert isinstance(rig.client.frames[-1], GoAway)
    assert rig.program.closed


@pytest.mark.parametrize(
    ("protocol", "outcome"),
    [(V3, b"command terminated with non-zero exit code: exit status 4"), (V4, None)],
)
async def test_how_a_failure_is_told(protocol: str, outcome: bytes | None) -> None:
    rig = Rig(protocol)
    rig.open(*ALL)
    rig.program.exit(4)
    await rig.over()
    if outcome is not None:
        assert rig.said("error") == outcome
    else:
        said = json.loads(rig.said("error"))
        assert said["reason"] == "NonZeroExitCode"
        assert said["details"]["causes"] == [{"reason": "ExitCode", "message": "4"}]


async def test_before_v4_success_is_not_told() -> None:
    rig = Rig(V3)
    rig.open(*ALL)
    rig.program.exit(0)
    await rig.over()
    assert rig.said("error") == b""


async def test_a_program_that_cannot_be_started() -> None:
    rig = Rig()
    rig.problem = RuntimeCallError(Code.NOT_FOUND, "no such container")
    rig.open(*ALL)
    await rig.over()
    said = json.loads(rig.said("error"))
    assert (said["reason"], said["code"]) == ("InternalError", 500)
    assert "no such container" in said["message"]


async def test_a_terminals_sizes_cut_anywhere() -> None:
    rig = Rig(tty=True)
    rig.open("error", "stdin", "stdout", "resize")
    size = rig.streams["resize"]
    for piece in (
        b'{"Width":80,"Hei',
        b'ght":24}\n{"Width":1',
        b'00,"Height":30}\n{"Width":"x"}\n',
    ):
        rig.client.put(Data(size, piece))
    rig.client.put(Data(size, b'{"Width":1,"Height":2}'))
    await eventually(lambda: len(rig.program.sizes) == 3)
    assert rig.program.sizes == [(80, 24), (100, 30), (1, 2)]
    rig.program.exit(0)
    await rig.over()


async def test_sizes_without_end_are_not_kept() -> None:
    rig = Rig(tty=True)
    rig.open("error", "stdin", "stdout", "resize")
    rig.client.put(Data(rig.streams["resize"], b"[" * 100_000))
    rig.client.put(Data(rig.streams["resize"], b'{"Width":1,"Height":2}'))
    rig.client.put(Data(rig.streams["stdin"], b"x"))
    await eventually(lambda: rig.program.input == b"x")
    assert rig.program.sizes == []
    rig.program.exit(0)
    await rig.over()


async def test_nothing_begins_until_all_streams_are_there() -> None:
    rig = Rig()
    rig.open("error", "stdin", "stdout")
    await eventually(lambda: len(rig.client.replied) == 3)
    rig.program.say(STDOUT, b"out")
    await asyncio.sleep(0.05)
    assert rig.said("stdout") == b""
    rig.open("stderr")
    await eventually(lambda: rig.said("stdout") == b"out")
    rig.client.leave()
    await rig.over()


async def test_streams_that_do_not_come() -> None:
    rig = Rig()
    rig.open("error", "stdin")
    await eventually(lambda: len(rig.client.replied) == 2)
    rig.clock.advance(STREAM_CREATION)
    await rig.over()
    assert not rig.program.closed, "it never began"


async def test_streams_that_make_no_sense_are_refused() -> None:
    rig = Rig()
    rig.open(*ALL)
    twice, odd = rig.client.open(streamtype="stdout"), rig.client.open(streamtype="x")
    await eventually(lambda: rig.client.resets == {twice: REFUSED_STREAM, odd: REFUSED_STREAM})
    rig.client.leave()
    await rig.over()


async def test_a_client_that_leaves_ends_the_program() -> None:
    rig = Rig()
    rig.open(*ALL)
    rig.client.put(Data(rig.streams["stdin"], b"x"))
    await eventually(lambda: rig.program.input == b"x")
    rig.client.leave()
    await rig.over()
    assert rig.program.closed


async def test_a_client_that_leaves_with_its_windows_shut_is_not_waited_for() -> None:
    rig = Rig()
    rig.client.put(Settings(0))
    rig.open(*ALL)
    rig.client.put(Data(rig.streams["stdin"], b"x"))
    await eventually(lambda: rig.program.input == b"x")
    rig.program.exit(0)
    # The outputs' ends need no window; the outcome does.
    await eventually(lambda: rig.client.ended == {rig.streams["stdout"], rig.streams["stderr"]})
    rig.client.leave()
    await rig.over()
    assert rig.program.closed


async def test_output_that_is_not_wanted_any_more_is_dropped() -> None:
    rig = Rig()
    rig.open(*ALL)
    rig.client.put(Reset(rig.streams["stdout"], CANCEL), Data(rig.streams["stdin"], b"x"))
    await eventually(lambda: rig.program.input == b"x")
    rig.program.say(STDOUT, b"lost")
    rig.program.say(STDERR, b"seen")
    rig.program.exit(0)
    await rig.over()
    assert (rig.said("stdout"), rig.said("stderr")) == (b"", b"seen")


async def test_what_is_no_spdy_ends_it() -> None:
    rig = Rig()
    rig.open(*ALL)
    await eventually(lambda: len(rig.client.replied) == 4)
    rig.client.messages.put_nowait({"type": "websocket.receive", "bytes": b"\xff" * 64})
    await rig.over()
    assert rig.program.closed


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["v4.channel.k8s.io", "v3.channel.k8s.io"], V4),
        (["v3.channel.k8s.io", "v4.channel.k8s.io"], V3),
        (["x", "channel.k8s.io"], "channel.k8s.io"),
        (["x"], None),
        ([], None),
    ],
)
def test_the_clients_favourite_is_spoken(offered: list[str], chosen: str | None) -> None:
    assert streaming_spdy.choose(offered) == chosen
