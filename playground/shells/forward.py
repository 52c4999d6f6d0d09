"""From the socket inside a sandbox to the API of one cluster: HTTP/1.1 under TLS.

Requests are read and written anew by h11, so that what a hostile client hides in one is refused or
dropped, never passed on: the credential of the instance is added to each request here, and to
nothing else. Connections to the API are not shared between those of a shell. WebSockets and SPDY go
through once the API has agreed to them; watches and logs stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import h11
import httpx
import orjson

from playground.shells import caller as callers
from playground.shells.caller import Caller

log = logging.getLogger("kubeground.shells")

_READ = 64 * 1024
_CONNECT_SECONDS = 5.0
# kubectl opens a few; a port-forward or a test of load opens many.
CONNECTIONS = 128
# Questions that kubectl asks before the one that matters.
_DISCOVERY = re.compile(
    r"/(api|apis|version|openapi/.*|api/v1|apis/[^/?]+(/[^/?]+)?)(\?.*)?", re.ASCII
)
_SECRETS = re.compile(r"([?&](?:token|password)=)[^&]*")
_LONGEST_PATH, _LONGEST_SESSION = 512, 64


@dataclass(frozen=True, slots=True)
class Api:
    """Where the API is, and how it is asked on behalf of others."""

    url: str
    trust: ssl.SSLContext | None
    admin_token: str
    # The server's side of TLS towards shells.
    serving: ssl.SSLContext | None

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 443

    @property
    def client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.admin_token}", "User-Agent": "kubeground-shells"}
        trust: Any = self.trust or True
        return httpx.AsyncClient(
            base_url=self.url, verify=trust, headers=headers, trust_env=False, timeout=15.0
        )


def _session(request: h11.Request) -> str:
    """Return what the requests of one run of kubectl have in common; nothing for other clients."""
    found = next((value for name, value in request.headers if name == b"kubectl-session"), b"")
    return found.decode("latin-1")[:_LONGEST_SESSION]


class ForwardError(Exception):
    """A request that does not go on; `code` and `body` are the answer."""

    def __init__(self, code: int, body: bytes) -> None:
        super().__init__(body.decode())
        self.code, self.body = code, body


# What is told of a request: its Audit-ID, method, path, status, and the run of kubectl.
Told = Callable[[dict[str, Any]], None]


class Forwarder:
    """Serves one listener for one caller."""

    def __init__(self, api: Api, caller: Caller, on_request: Told) -> None:
        self._api, self._caller, self._told = api, caller, on_request
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, listener: socket.socket) -> None:
        """Take connections from now on."""
        self._server = await asyncio.start_server(
            self._serve, sock=listener, ssl=self._api.serving, limit=_READ
        )

    async def close(self) -> None:
        """End every connection."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine of the server runs as a task
        self._connections.add(task)
        connection = _Connection(self._api, self._caller, self._told, reader, writer)
        try:
            if len(self._connections) <= CONNECTIONS:
                await connection.run()
        except (OSError, h11.ProtocolError, asyncio.IncompleteReadError):
            pass  # the other side's affair: it sees its connection end
        except asyncio.CancelledError:
            pass
        except Exception:
            log.exception("a request of a shell failed")
        finally:
            self._connections.discard(task)
            connection.close()


class _Peer:
    """One side of a connection: h11's state, and the stream that it is about."""

    def __init__(
        self, role: type[h11.CLIENT | h11.SERVER], reader: Any, writer: asyncio.StreamWriter
    ) -> None:
        self.state = h11.Connection(role, max_incomplete_event_size=_READ)
        self.reader, self.writer = reader, writer

    async def next_event(self) -> Any:
        while True:
            event = self.state.next_event()
            if event is not h11.NEED_DATA:
                return event
            self.state.receive_data(await self.reader.read(_READ))

    async def send(self, event: Any) -> None:
        data = self.state.send(event)
        if data:
            self.writer.write(data)
            await self.writer.drain()


class _Connection:
    def __init__(
        self,
        api: Api,
        caller: Caller,
        told: Told,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._api, self._caller, self._told = api, caller, told
        self._client = _Peer(h11.SERVER, reader, writer)
        self._upstream: _Peer | None = None

    def close(self) -> None:
        """Close both sides."""
        for peer in (self._client, self._upstream):
            if peer is not None:
                peer.writer.close()

    async def run(self) -> None:
        """Serve requests until one side has had enough."""
        while True:
            request = await self._client.next_event()
            if not isinstance(request, h11.Request):
                return
            try:
                await self._exchange(request)
            except ForwardError as error:
                await self._answer(error)
            if h11.SWITCHED_PROTOCOL in self._client.state.states.values():
                await self._relay()
                return
            for peer in (self._client, self._upstream):
                if peer is not None and peer.state.states != _DONE:
                    return
                if peer is not None:
                    peer.state.start_next_cycle()

    async def _exchange(self, request: h11.Request) -> None:
        onward = await self._onward(request)
        upstream = await self._connected()
        await upstream.send(onward)
        body = asyncio.ensure_future(self._send_body(upstream))
        answer = asyncio.ensure_future(self._pass_answer(upstream, request))
        try:
            await asyncio.wait((body, answer), return_when=asyncio.FIRST_COMPLETED)
            # Without the rest of its question the API would wait for ever.
            if not answer.done():
                body.result()
            await answer
        finally:
            # An answer may come before the whole question; what is left of it is then lost.
            await _ended(body, answer)

    async def _send_body(self, upstream: _Peer) -> None:
        while True:
            onward: h11.Data | h11.EndOfMessage
            match await self._client.next_event():
                case h11.Data() as part:
                    onward = h11.Data(bytes(part.data))
                case h11.EndOfMessage():
                    onward = h11.EndOfMessage()
                case _:
                    raise ConnectionError("the client left within its question")
            try:
                await upstream.send(onward)
            except OSError:
                return  # the API hears no more; what it has answered is on its way
            if isinstance(onward, h11.EndOfMessage):
                return

    async def _pass_answer(self, upstream: _Peer, request: h11.Request) -> None:
        client = self._client
        while True:
            event = await upstream.next_event()
            match event:
                case h11.InformationalResponse():
                    if event.status_code == 101:
                        self._tell(request, event)
                    await client.send(event)
                    if event.status_code == 101:
                        return
                case h11.Response():
                    self._tell(request, event)
                    await client.send(event)
                case h11.Data():
                    await client.send(h11.Data(bytes(event.data)))
                case h11.EndOfMessage():
                    await client.send(h11.EndOfMessage())
                    return
                case _:
                    raise ConnectionError("the API ended the connection")

    def _tell(self, request: h11.Request, answer: Any) -> None:
        path = request.target.decode("latin-1")
        audit_id = next((value for name, value in answer.headers if name == b"audit-id"), b"")
        if not audit_id or _DISCOVERY.fullmatch(path):
            return
        told = {
            "id": audit_id.decode("latin-1"),
            "method": request.method.decode("latin-1"),
            "path": _SECRETS.sub(r"\1…", path)[:_LONGEST_PATH],
            "status": int(answer.status_code),
            "session": _session(request),
        }
        self._told(told)

    # -- who asks, and what ----------------------------------------------------------------------

    async def _onward(self, request: h11.Request) -> h11.Request:
        """Return a request as it goes on. Raises ForwardError for one that does not."""
        path = callers.target(self._caller.cluster, bytes(request.target))
        if path is None:
            text = "the server could not find the requested resource"
            raise ForwardError(404, callers.status(404, "NotFound", text))
        headers = callers.forwarded(callers.lowered(list(request.headers)))
        if self._caller.is_own(headers):
            await self._check_impersonation(headers)
            headers = callers.authorized(self._caller, headers, self._api.admin_token)
        host, port = self._api.address
        headers.insert(0, (b"Host", f"{host}:{port}".encode()))
        headers.append((b"X-Kubeground-Terminal", self._caller.terminal.encode()))
        return h11.Request(method=request.method, target=path, headers=headers)

    async def _check_impersonation(self, headers: callers.Headers) -> None:
        if self._caller.all_powerful or not callers.impersonated(headers):
            return
        address = f"/clusters/{self._caller.cluster}/apis/authorization.k8s.io/v1"
        async with self._api.client as client:
            for review in callers.reviews(self._caller, headers):
                answer = await client.post(f"{address}/subjectaccessreviews", json=review)
                if not (answer.is_success and orjson.loads(answer.content)["status"]["allowed"]):
                    wanted = review["spec"]["resourceAttributes"]
                    raise ForwardError(403, callers.refusal(self._caller, wanted))

    async def _connected(self) -> _Peer:
        if self._upstream is not None:
            return self._upstream
        host, port = self._api.address
        opening = asyncio.open_connection(host, port, ssl=self._api.trust, limit=_READ)
        try:
            reader, writer = await asyncio.wait_for(opening, _CONNECT_SECONDS)
        except (OSError, TimeoutError) as error:
            text = "the cluster does not answer just now; it may be starting"
            raise ForwardError(503, callers.status(503, "ServiceUnavailable", text)) from error
        self._upstream = _Peer(h11.CLIENT, reader, writer)
        return self._upstream

    async def _answer(self, error: ForwardError) -> None:
        while self._client.state.their_state is h11.SEND_BODY:
            if isinstance(await self._client.next_event(), h11.ConnectionClosed):
                return
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(error.body))),
        ]
        await self._client.send(h11.Response(status_code=error.code, headers=headers))
        await self._client.send(h11.Data(error.body))
        await self._client.send(h11.EndOfMessage())

    async def _relay(self) -> None:
        """Pass bytes both ways until one side ends."""
        assert self._upstream is not None  # noqa: S101 - it has agreed to something
        client, upstream = self._client, self._upstream
        ways = [
            asyncio.ensure_future(_pump(client, upstream)),
            asyncio.ensure_future(_pump(upstream, client)),
        ]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        finally:
            await _ended(*ways)


async def _ended(*ways: asyncio.Future[None]) -> None:
    """End what still runs."""
    for way in ways:
        way.cancel()
    await asyncio.gather(*ways, return_exceptions=True)


_DONE = {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}


async def _pump(source: _Peer, target: _Peer) -> None:
    data, _ = source.state.trailing_data
    with contextlib.suppress(OSError):
        while True:
            if data:
                target.writer.write(data)
                await target.writer.drain()
            data = await source.reader.read(_READ)
            if not data:
                return
