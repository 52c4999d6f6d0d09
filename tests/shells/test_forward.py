"""The way from a shell to the API: what ends it, and that a fault of ours is not kept quiet."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

from playground.shells import forward
from playground.shells.caller import Caller
from playground.shells.forward import Api, Forwarder

LEARNER = Caller("demo", "ann", ("system:authenticated",), "token")
SECONDS = 20
HALF = b"POST /api/v1/pods HTTP/1.1\r\nHost: api\r\nContent-Length: 100\r\n\r\nhalf of it"
UPGRADE = b"GET /exec HTTP/1.1\r\nHost: api\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello"
)
TOO_MUCH = b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!"


@asynccontextmanager
async def shell(answer=b""):
    """A connection of a shell; and what the API got of it, once that has ended."""
    got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def api(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        got.set_result(head + await reader.read())
        writer.close()

    upstream = await asyncio.start_server(api, "127.0.0.1", 0)
    host, port = upstream.sockets[0].getsockname()
    listener = socket.create_server(("127.0.0.1", 0))
    forwarder = Forwarder(
        Api(f"http://{host}:{port}", None, "admin", None), LEARNER, lambda told: None
    )
    await forwarder.start(listener)
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    try:
        async with asyncio.timeout(SECONDS):
            yield reader, writer, got
    finally:
        writer.close()
        await forwarder.close()
        upstream.close()


async def test_who_leaves_within_a_question_ends_it_for_the_api_too():
    async with shell() as (_, writer, got):
        writer.write(HALF)
        await writer.drain()
        writer.write_eof()
        assert (await got).endswith(b"\r\n\r\nhalf of it")


async def test_an_answer_may_come_before_the_whole_question():
    async with shell(TOO_MUCH) as (reader, writer, _):
        writer.write(HALF)
        assert b" 413 " in await reader.readline()
        assert (await reader.read()).endswith(b"no!")


async def test_what_was_agreed_to_ends_with_either_side():
    async with shell(SWITCHED) as (reader, writer, got):
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(5) == b"hello"
        writer.write(b"bye")
        writer.write_eof()
        assert (await got).endswith(b"bye")


async def test_a_fault_of_ours_is_logged_and_ends_the_connection(monkeypatch, caplog):
    async def failing(source, target):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(forward, "_pump", failing)
    async with shell(SWITCHED) as (reader, writer, _):
        writer.write(UPGRADE)
        await reader.read()
    assert "a request of a shell failed" in caplog.text
    assert "a fault of ours" in caplog.text
