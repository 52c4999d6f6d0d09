"""port-forward: ports read, streams paired and bridged, refusals told, in both protocols."""

from __future__ import annotations

import asyncio
import base64

import pytest

from apimachinery.clock import ManualClock
from nodes.kubelet import portforward, portforward_spdy
from nodes.kubelet.portforward_channels import serve_channels
from nodes.kubelet.portforward_spdy import serve_spdy
from nodes.kubelet.spdy_frames import Data, Reset
from nodes.network.stream import Stream, stream_pair
from nodes.runtime.cri import Code, RuntimeCallError
from tests.nodes.kubelet.spdyclient import SpdyClient
from tests.support.eventually import eventually

SANDBOX = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"


class Pod:
    """Answers in capitals on port 80, closes when its client has; 81 is refused, 83 never read."""

    def __init__(self) -> None:
        self.ends: list[Stream] = []
        self.dialled = 0

    async def dial(self, port: int) -> Stream:
        self.dialled += 1
        if port == 82:
            raise RuntimeCallError(Code.NOT_FOUND, "sandbox is gone")
        if port not in (80, 83):
            raise ConnectionRefusedError("connection refused")
        ours, theirs = stream_pair(("127.0.0.1", 1), ("127.0.0.1", port))
        self.ends.append(theirs)
        if port == 80:
            self._task = asyncio.ensure_future(self._serve(theirs))
        return ours

    async def _serve(self, stream: Stream) -> None:
        while data := await stream.read():
            await stream.write(data.upper())
        stream.close()


class Rig:
    def __init__(self) -> None:
        self.pod, self.client, self.clock = Pod(), SpdyClient(), ManualClock()

    def start(self) -> asyncio.Future[None]:
        serving = serve_spdy(
            self.pod.dial, SANDBOX, self.clock, self.client.receive, self.client.send
        )
        return asyncio.ensure_future(serving)


@pytest.fixture
async def rig():
    made = Rig()
    serving = made.start()
    yield made
    made.client.leave()
    await serving
    assert len(asyncio.all_tasks()) == 1, "something goes on after the client has left"


async def test_a_connection_there_and_back(rig: Rig) -> None:
    errors, data = rig.client.connect(80)
    rig.client.put(Data(data, b"hello"))
    await eventually(lambda: rig.client.said[data] == b"HELLO")
    rig.client.put(Data(data, b" end", fin=True))
    await eventually(lambda: rig.client.ended == {errors, data})
    assert rig.client.said == {data: b"HELLO END", errors: b""}
    assert rig.client.frames[-1] == Data(errors, b"", fin=True), "errors end last"


async def test_data_may_come_first(rig: Rig) -> None:
    data = rig.client.open(streamtype="data", port="80", requestid="1")
    rig.client.put(Data(data, b"early"))
    rig.client.open(streamtype="error", port="80", requestid="1")
    await eventually(lambda: rig.client.said[data] == b"EARLY")


async def test_streams_without_a_request_id(rig: Rig) -> None:
    rig.client.open(streamtype="error", port="80")
    data = rig.client.open(streamtype="data", port="80")
    rig.client.put(Data(data, b"x"))
    await eventually(lambda: rig.client.said[data] == b"X")


async def test_many_connections_at_once(rig: Rig) -> None:
    pairs = [rig.client.connect(80, str(n)) for n in range(100)]
    for n, (_, data) in enumerate(pairs):
        rig.client.put(Data(data, f"number {n}".encode(), fin=True))
    await eventually(lambda: len(rig.client.ended) == 200)
    assert [rig.client.said[data] for _, data in pairs] == [
        f"NUMBER {n}".encode() for n in range(100)
    ]


async def test_more_than_any_buffer_holds(rig: Rig) -> None:
    _, data = rig.client.connect(80)
    chunk = b"abcdefgh" * 4096
    for _ in range(100):
        rig.client.put(Data(data, chunk))
    rig.client.put(Data(data, b"", fin=True))
    await eventually(lambda: data in rig.client.ended)
    assert rig.client.said[data] == chunk.upper() * 100


async def test_a_refused_port(rig: Rig) -> None:
    errors, data = rig.client.connect(81)
    await eventually(lambda: rig.client.ended == {errors, data})
    assert rig.client.said[errors].decode() == (
        f"error forwarding port 81 to pod {SANDBOX}, uid : failed to execute portforward in "
        'network namespace "/var/run/netns/cni-01234567-89ab-cdef-0123-456789abcdef": failed to '
        f'connect to localhost:81 inside namespace "{SANDBOX}", IPv4: dial tcp4 127.0.0.1:81: '
        "connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found "
    )


async def test_a_sandbox_that_is_gone(rig: Rig) -> None:
    errors, _ = rig.client.connect(82)
    await eventually(lambda: errors in rig.client.ended)
    assert rig.client.said[errors].endswith(
        b"uid : rpc error: code = NotFound desc = sandbox is gone"
    )


async def test_the_pod_closes_first(rig: Rig) -> None:
    errors, data = rig.client.connect(80)
    await eventually(lambda: bool(rig.pod.ends))
    rig.pod.ends[0].close()
    await eventually(lambda: rig.client.ended == {errors, data})
    rig.client.put(Data(data, b"too late"))
    other = rig.client.connect(80, "2")[1]
    rig.client.put(Data(other, b"next"))
    await eventually(lambda: rig.client.said[other] == b"NEXT")


async def test_the_client_gives_a_connection_up(rig: Rig) -> None:
    _, data = rig.client.connect(80)
    await eventually(lambda: bool(rig.pod.ends))
    rig.client.put(Reset(data, 5))
    await eventually(lambda: rig.pod.ends[0].closed)


async def test_connections_end_with_the_client(rig: Rig) -> None:
    rig.client.connect(80)
    await eventually(lambda: bool(rig.pod.ends))
    rig.client.leave()
    await eventually(lambda: rig.pod.ends[0].closed)


@pytest.mark.parametrize(
    "fields",
    [
        {"streamtype": "data"},
        {"streamtype": "data", "port": "http"},
        {"streamtype": "data", "port": "0"},
        {"streamtype": "data", "port": "65536"},
        {"streamtype": "stdin", "port": "80"},
        {"port": "80"},
    ],
)
async def test_streams_that_make_no_sense(rig: Rig, fields: dict[str, str]) -> None:
    number = rig.client.open(**fields, requestid="0")
    await eventually(lambda: number in rig.client.resets)
    assert not rig.pod.dialled


async def test_a_second_stream_of_a_kind_is_refused(rig: Rig) -> None:
    first, second = (rig.client.open(streamtype="data", port="80", requestid="0") for _ in "12")
    await eventually(lambda: second in rig.client.resets)
    assert first not in rig.client.resets


async def test_a_stream_without_a_partner_is_given_up(rig: Rig) -> None:
    number = rig.client.open(streamtype="data", port="80", requestid="0")
    await eventually(lambda: number in rig.client.replied)
    rig.clock.advance(portforward_spdy.PAIRING - 1)
    assert number not in rig.client.resets
    rig.clock.advance(1)
    await eventually(lambda: number in rig.client.resets)


async def test_what_is_no_spdy_ends_the_connection() -> None:
    rig = Rig()
    frame = b"\x80\x02\0\1\0\0\0\0"  # of SPDY/2
    rig.client.messages.put_nowait({"type": "websocket.receive", "bytes": frame})
    await asyncio.wait_for(rig.start(), 1)
    assert rig.client.closed == 1002


# --- protocols, ports ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["SPDY/3.1+portforward.k8s.io"], portforward.SPDY),
        (["v5.channel.k8s.io", "v4.channel.k8s.io"], portforward.CHANNELS),
        (["v4.base64.channel.k8s.io"], portforward.BASE64),
        ([], ""),
        (["v5.channel.k8s.io"], None),
    ],
)
def test_protocols(offered: list[str], chosen: str | None) -> None:
    assert portforward.choose(offered) == chosen


def test_ports_of_a_url() -> None:
    assert portforward.parse_ports(["80", "443,8080"]) == [80, 443, 8080]


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ([], 'query parameter "port" is required'),
        ([""], 'query parameter "port" cannot be empty'),
        (["web"], 'unable to parse "web" as a port: .*invalid syntax'),
        (["70000"], 'unable to parse "70000" as a port: .*value out of range'),
        (["0"], 'port "0" must be > 0'),
        (["80"] * 128, "at most 127"),
    ],
)
def test_ports_that_cannot_be(texts: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        portforward.parse_ports(texts)


# --- by channels --------------------------------------------------------------------------------


class ChannelClient:
    """A client of v4.channel.k8s.io, binary or base64."""

    def __init__(self, protocol: str, *ports: int) -> None:
        self.protocol, self.ports = protocol, ports
        self.messages: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self.said: dict[int, bytes] = {}
        self.closed = self.gone = False

    async def send(self, message) -> None:
        if self.gone:
            raise ConnectionResetError
        if message["type"] == "websocket.close":
            self.closed = True
            return
        channel, data = (
            (int(message["text"][0]), base64.b64decode(message["text"][1:]))
            if self.protocol == portforward.BASE64
            else (message["bytes"][0], message["bytes"][1:])
        )
        self.said[channel] = self.said.get(channel, b"") + data

    def put(self, channel: int, data: bytes) -> None:
        if self.protocol == portforward.BASE64:
            message = {"text": f"{channel}{base64.b64encode(data).decode()}"}
        else:
            message = {"bytes": bytes((channel,)) + data}
        self.messages.put_nowait({"type": "websocket.receive", **message})

    async def serve(self, pod: Pod, within: float = 5) -> None:
        await asyncio.wait_for(
            serve_channels(
                self.protocol, self.ports, pod.dial, SANDBOX, self.messages.get, self.send
            ),
            within,
        )


@pytest.mark.parametrize("protocol", [portforward.CHANNELS, portforward.BASE64])
async def test_channels(protocol: str) -> None:
    pod, client = Pod(), ChannelClient(protocol, 80, 81)
    client.put(0, b"hello")
    client.put(9, b"nobody's")
    serving = asyncio.ensure_future(client.serve(pod))
    await eventually(lambda: client.said.get(0) == b"P\0HELLO")
    assert client.said[1] == b"P\0"
    assert client.said[2] == b"Q\0"
    assert client.said[3].startswith(b"Q\0error forwarding port 81 to pod 0123")
    client.messages.put_nowait({"type": "websocket.disconnect"})
    await serving
    assert pod.ends[0].closed


async def test_a_client_that_leaves_while_a_pod_speaks_leaves_no_connection() -> None:
    pod, client = Pod(), ChannelClient(portforward.CHANNELS, 80, 80)
    serving = asyncio.ensure_future(client.serve(pod))
    await eventually(lambda: len(pod.ends) == 2)
    client.gone = True
    await pod.ends[0].write(b"who hears this?")
    with pytest.raises(ConnectionResetError):
        await serving
    assert [end.closed for end in pod.ends] == [True, True]


@pytest.mark.looptime
async def test_a_client_that_leaves_while_a_pod_does_not_read_is_missed() -> None:
    pod, client = Pod(), ChannelClient(portforward.CHANNELS, 83)
    client.put(0, b"x" * 200_000)
    serving = asyncio.ensure_future(client.serve(pod, within=100))
    await eventually(lambda: pod.ends)
    client.gone = True
    await serving
    with pytest.raises(BrokenPipeError):
        await pod.ends[0].write(b"is anybody there?")


async def test_channels_end_when_the_pod_has_closed() -> None:
    pod, client = Pod(), ChannelClient(portforward.CHANNELS, 80)
    serving = asyncio.ensure_future(client.serve(pod))
    await eventually(lambda: pod.ends)
    pod.ends[0].close()
    await serving
    assert client.closed
