"""HTTP over the network, and the streams below it."""

from __future__ import annotations

import asyncio

import pytest

from nodes.client.loopclock import LoopClock
from nodes.network.fabric import Network
from nodes.network.http import (
    MAX_BODY,
    BadMessage,
    Headers,
    HttpResponse,
    http_get,
    request,
    serve_http,
)
from nodes.network.stream import BUFFER, stream_pair

pytestmark = pytest.mark.looptime


@pytest.fixture
async def net():
    network = Network(LoopClock(epoch=0))
    network.add_node("n1", "192.168.0.11", "10.244.1.0/24")
    yield network
    await network.close()


@pytest.fixture
def pods(net):
    return net.allocate("n1", "default/a"), net.allocate("n1", "default/b")


async def test_request_and_answer(net, pods):
    client, server = pods
    seen = []

    async def app(req):
        seen.append((req.method, req.path, req.query, req.headers.get("x-Y"), req.body, req.peer))
        return HttpResponse(201, Headers([("X-Z", "1")]), b"made")

    net.listen(server, 80, serve_http(app))
    answer = await request(
        net, client, f"http://{server}/a%20b?c=d", method="POST", headers={"X-y": "z"}, body=b"in"
    )
    assert (answer.status, answer.reason, answer.body) == (201, "Created", b"made")
    assert answer.headers.get("x-z") == "1"
    assert seen == [("POST", "/a b", "c=d", "z", b"in", client)]


async def test_a_body_larger_than_the_buffers(net, pods):
    client, server = pods

    async def app(req):
        return HttpResponse(200, body=b"x" * (BUFFER * 5 + 3))

    net.listen(server, 80, serve_http(app))
    answer = await http_get(net, client, f"http://{server}/")
    assert len(answer.body) == BUFFER * 5 + 3


async def test_keep_alive_serves_several_requests_on_one_connection(net, pods):
    client, server = pods

    async def app(req):
        return HttpResponse(200, body=req.path.encode())

    net.listen(server, 80, serve_http(app))
    stream = await net.connect(client, server, 80)
    await stream.write(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.0\r\n\r\n")
    got = b""
    while chunk := await stream.read():
        got += chunk
    assert got.count(b"HTTP/1.1 200 OK") == 2
    assert b"\r\n\r\n/1HTTP/1.1" in got
    assert got.endswith(b"/2")


async def test_rubbish_gets_a_400(net, pods):
    client, server = pods
    net.listen(server, 80, serve_http(None))
    stream = await net.connect(client, server, 80)
    await stream.write(b"hello\r\n\r\n")
    assert (await stream.read()).startswith(b"HTTP/1.1 400 Bad Request")


async def test_a_silent_server_times_out(net, pods):
    client, server = pods

    async def never(stream):
        await asyncio.get_running_loop().create_future()

    net.listen(server, 80, never)
    with pytest.raises(TimeoutError):
        await http_get(net, client, f"http://{server}/", timeout=4)
    assert net.clock.seconds() == 4


async def test_a_server_that_hangs_up(net, pods):
    client, server = pods

    async def rude(stream):
        await stream.read(1)

    net.listen(server, 80, rude)
    with pytest.raises(ConnectionResetError):
        await http_get(net, client, f"http://{server}/")


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"x" * 200_000,
    ],
)
async def test_answers_that_are_not_http_or_too_large(net, pods, answer):
    client, server = pods

    async def app(stream):
        await stream.write(answer)

    net.listen(server, 80, app)
    with pytest.raises(BadMessage):
        await http_get(net, client, f"http://{server}/")


async def test_chunked_answers(net, pods):
    client, server = pods

    async def app(stream):
        await stream.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )

    net.listen(server, 80, app)
    assert (await http_get(net, client, f"http://{server}/")).body == b"abcde"


async def test_a_stream_waits_for_its_reader():
    a, b = stream_pair(("a", 1), ("b", 2))
    writing = asyncio.ensure_future(a.write(b"x" * (BUFFER + 1)))
    await asyncio.sleep(0)
    assert not writing.done()
    assert len(await b.read()) == BUFFER
    await writing
    assert await b.read() == b"x"
    a.close_write()
    assert await b.read() == b""
    await b.write(b"back")
    assert await a.read() == b"back"
    b.close()
    with pytest.raises(BrokenPipeError):
        await a.write(b"x")


@pytest.mark.parametrize("length", ["\xb2", "1" * 5000, "-1", "many"])
async def test_lengths_that_are_none(net, pods, length):
    client, server = pods

    async def handler(stream):
        await stream.read()
        await stream.write(
            f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nhi".encode("latin-1")
        )

    net.listen(server, 80, handler)
    with pytest.raises(BadMessage, match="bad Content-Length"):
        await http_get(net, client, f"http://{server}/")


async def test_a_chunk_whose_length_has_no_end(net, pods):
    client, server = pods

    async def handler(stream):
        await stream.read()
        await stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 2000)

    net.listen(server, 80, handler)
    with pytest.raises(BadMessage, match="bad chunk"):
        await http_get(net, client, f"http://{server}/")


@pytest.mark.parametrize("value", ["a\r\nX-Remote-Group: system:masters", "a\nb", "a\0"])
async def test_one_header_field_is_never_two(net, pods, value):
    client, server = pods
    seen = []

    async def app(req):
        seen.append(req)
        return HttpResponse(200)

    net.listen(server, 80, serve_http(app))
    with pytest.raises(BadMessage, match='invalid header field value for "X-Remote-User"'):
        await http_get(net, client, f"http://{server}/", headers={"X-Remote-User": value})
    assert not seen
