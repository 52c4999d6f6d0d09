"""HTTP/1.1 over the simulated network: what servers in containers and their clients need of it.

Bodies are whole and bounded, but for answers that a server streams; connections are kept alive by
servers and used once by `request`. `exchange` reads an answer as it arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from nodes.network.dns import ResolvConf
from nodes.network.fabric import Network
from nodes.network.stream import Address, ByteStream, read_until
from nodes.network.tls import TLSError, Trust, open_tls

MAX_HEAD = 32 * 1024
MAX_BODY = 4 * 1024 * 1024
# A server drops a connection that has asked for this much; clients open another.
MAX_REQUESTS_PER_CONNECTION = 1000
_TLS_HANDSHAKE = b"\x16"
# Digits of a length that fits into 64 bits have fewer.
_LONGEST_NUMBER = 19
# What would end a header field before its end.
_BREAKS = frozenset("\r\n\0")


class BadMessage(OSError):
    """What came is not HTTP, or too much of it."""


@dataclass(slots=True)
class Headers:
    """Header fields in their order, looked up without regard to case."""

    items: list[tuple[str, str]] = field(default_factory=list)

    def get(self, name: str, default: str = "") -> str:
        name = name.lower()
        for key, value in self.items:
            if key.lower() == name:
                return value
        return default

    def __contains__(self, name: str) -> bool:
        name = name.lower()
        return any(key.lower() == name for key, _ in self.items)

    @classmethod
    def of(cls, pairs: Mapping[str, str]) -> Headers:
        return cls(list(pairs.items()))


@dataclass(slots=True)
class HttpRequest:
    method: str
    target: str
    version: str
    headers: Headers
    body: bytes = b""
    peer: str = ""
    # The certificates that the client has shown, where the connection is under TLS.
    certificates: Any = ()

    @property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(slots=True)
class HttpResponse:
    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    reason: str = ""
    # Sent after the head in place of `body`, chunk by chunk, until it ends or the client goes.
    stream: AsyncIterator[bytes] | None = None
    # Has the connection after the head of a 101, and what the client has sent already.
    upgraded: Callable[[Connection, bytes], Awaitable[None]] | None = None

    @property
    def phrase(self) -> str:
        """The words after the status."""
        if self.reason:
            return self.reason
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return ""


class Connection(ByteStream, Protocol):
    """What a server reads from: a connection, plain or under TLS."""

    @property
    def remote(self) -> Address: ...


App = Callable[[HttpRequest], Awaitable[HttpResponse]]


class HttpHandler(Protocol):
    """The handler of a listener; `rest` is what has been read of the connection already."""

    async def __call__(self, stream: Connection, rest: bytes = b"") -> None: ...


def serve_http(app: App) -> HttpHandler:
    """Return the handler of a listener: requests of one connection, one after the other."""

    async def handler(stream: Connection, rest: bytes = b"") -> None:
        certificates = getattr(stream, "chain", ())
        for _ in range(MAX_REQUESTS_PER_CONNECTION):
            try:
                request, rest = await read_request(stream, rest)
            except (BadMessage, ValueError):
                await write_response(stream, HttpResponse(400, body=b"bad request\n"), close=True)
                return
            if request is None:
                return
            request.certificates = certificates
            response = await app(request)
            if response.upgraded is not None:
                await write_head(stream, response)
                await response.upgraded(stream, rest)
                return
            close = (
                request.headers.get("Connection").lower() == "close"
                or request.version == "HTTP/1.0"
            )
            await write_response(stream, response, close=close, head=request.method == "HEAD")
            if close:
                return

    return handler


async def read_request(stream: Connection, rest: bytes) -> tuple[HttpRequest | None, bytes]:
    """Read one request; None where the client has closed. Returns what came after it."""
    if not rest:
        rest = await stream.read()
    if rest[:1] == _TLS_HANDSHAKE:
        raise BadMessage("a TLS handshake on a port that speaks HTTP")
    head, rest = await _read_head(stream, rest)
    if not head.strip():
        return None, b""
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/"):
        raise BadMessage(lines[0][:200])
    headers = _headers(lines[1:])
    body, rest = await _read_body(stream, headers, rest, until_end=False)
    target = parts[1] if parts[1].startswith("/") else urlsplit(parts[1]).path or "/"
    return HttpRequest(parts[0], target, parts[2], headers, body, stream.remote[0]), rest


async def write_head(stream: ByteStream, response: HttpResponse) -> None:
    """Send the head of an answer that has no body, as it is."""
    lines = [f"HTTP/1.1 {response.status} {response.phrase}"]
    lines += [f"{key}: {value}" for key, value in response.headers.items]
    await stream.write("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n")


async def write_response(
    stream: ByteStream, response: HttpResponse, *, close: bool, head: bool = False
) -> None:
    """Send one response with its length."""
    lines = [f"HTTP/1.1 {response.status} {response.phrase}"]
    lines += [f"{key}: {value}" for key, value in response.headers.items]
    if response.stream is not None:
        lines.append("Transfer-Encoding: chunked")
    elif "Content-Length" not in response.headers:
        lines.append(f"Content-Length: {len(response.body)}")
    lines.append(f"Connection: {'close' if close else 'keep-alive'}")
    data = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    if response.stream is not None and not head:
        await stream.write(data)
        await _write_chunks(stream, response.stream)
        return
    await stream.write(data if head else data + response.body)


async def _write_chunks(stream: ByteStream, chunks: AsyncIterator[bytes]) -> None:
    """Send a body as it comes. A client that goes ends it, though nothing has to be sent."""

    async def pump() -> None:
        async for chunk in chunks:
            if chunk:
                await stream.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        await stream.write(b"0\r\n\r\n")

    tasks = [asyncio.ensure_future(pump()), asyncio.ensure_future(stream.read())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def request(
    network: Network,
    src_ip: str,
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    timeout: float = 30.0,
    resolv: ResolvConf | None = None,
    trust: Trust | None = None,
) -> HttpResponse:
    """Send one request from an address of the network, and read its whole answer.

    Raises what `Network.connect` raises; TimeoutError too when the answer takes longer than
    `timeout` in all; BadMessage for an answer that is not HTTP; TLSError where there is to be TLS
    (`trust`) and is none. Redirects are not followed.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    started = network.clock.seconds()
    plain = await network.connect(src_ip, host, port, resolv=resolv, timeout=timeout)
    left = max(0.0, timeout - (network.clock.seconds() - started))
    fields = {"Host": parts.netloc.rpartition("@")[2], **(headers or {})}
    if body or method in ("POST", "PUT", "PATCH"):
        fields["Content-Length"] = str(len(body))
    fields["Connection"] = "close"
    deadline = network.clock.call_later(left, plain.close)
    try:
        stream: ByteStream = plain
        if trust is not None:
            stream = await open_tls(plain, trust, network.clock.now())
        await write_request(stream, method, target, fields.items(), body)
        return await _read_response(stream, method)
    except (BrokenPipeError, EOFError, TLSError) as error:
        if network.clock.seconds() - started >= timeout:
            raise TimeoutError("timed out") from None
        if isinstance(error, TLSError):
            raise
        raise ConnectionResetError("connection reset by peer") from None
    finally:
        deadline.cancel()
        plain.close()


async def write_request(
    stream: ByteStream, method: str, target: str, fields: Collection[tuple[str, str]], body: bytes
) -> None:
    """Send a request with these header fields. Raises BadMessage, as Go says it, for two in one."""
    for name, value in fields:
        if _BREAKS & set(value):
            raise BadMessage(f'net/http: invalid header field value for "{name}"')
    lines = [f"{method} {target} HTTP/1.1", *(f"{key}: {value}" for key, value in fields)]
    await stream.write("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body)


async def http_get(
    network: Network,
    src_ip: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30.0,
    resolv: ResolvConf | None = None,
) -> HttpResponse:
    """GET: what probes and `wget` do."""
    return await request(network, src_ip, url, headers=headers, timeout=timeout, resolv=resolv)


async def _read_response(stream: ByteStream, method: str) -> HttpResponse:
    answer, rest = await read_response_head(stream)
    if method != "HEAD" and answer.status not in (204, 304):
        answer.body, _ = await _read_body(stream, answer.headers, rest, until_end=True)
    return answer


async def read_response_head(stream: ByteStream) -> tuple[HttpResponse, bytes]:
    """Read an answer up to its body; return what came after it, too. BadMessage, EOFError."""
    status, rest = 100, b""
    # Some servers say that they go on before they answer.
    while status < 200 and status != 101:
        head, rest = await _read_head(stream, rest)
        if not head:
            raise EOFError
        lines = head.decode("latin-1").split("\r\n")
        parts = lines[0].split(" ", 2)
        status = _status(parts)
    reason = parts[2] if len(parts) > 2 else ""
    return HttpResponse(status, _headers(lines[1:]), b"", reason), rest


def _status(line: list[str]) -> int:
    """Return the code of a status line, by its words. Raises BadMessage, as Go says it."""
    if len(line) < 2 or not line[0].startswith("HTTP/"):
        raise BadMessage(f'malformed HTTP response "{" ".join(line)[:80]}"')
    code = line[1]
    if len(code) != 3 or not (code.isascii() and code.isdigit()) or code < "100":
        raise BadMessage(f'malformed HTTP status code "{code[:80]}"')
    return int(code)


async def _read_head(stream: ByteStream, rest: bytes) -> tuple[bytes, bytes]:
    if b"\r\n\r\n" in rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        return head, rest
    try:
        data, after = await read_until(_Prefixed(rest, stream), b"\r\n\r\n", MAX_HEAD)
    except ValueError as error:
        raise BadMessage("request header is too large") from error
    return data.removesuffix(b"\r\n\r\n"), after


def _headers(lines: list[str]) -> Headers:
    pairs = []
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            pairs.append((name.strip(), value.strip()))
    return Headers(pairs)


def body_length(headers: Headers) -> int | None:
    """Return how long a body is said to be, None where nothing is said. Raises BadMessage."""
    length = headers.get("Content-Length")
    if not length:
        return None
    if not (length.isascii() and length.isdigit() and len(length) < _LONGEST_NUMBER):
        raise BadMessage(f'bad Content-Length "{length[:80]}"')
    return int(length)


async def _read_body(
    stream: ByteStream, headers: Headers, rest: bytes, *, until_end: bool
) -> tuple[bytes, bytes]:
    if headers.get("Transfer-Encoding").lower() == "chunked":
        return await _read_chunked(stream, rest)
    wanted = body_length(headers)
    if wanted is not None:
        if wanted > MAX_BODY:
            raise BadMessage("body too large")
        parts, have = [rest], len(rest)
        while have < wanted:
            chunk = await stream.read()
            if not chunk:
                raise EOFError
            parts.append(chunk)
            have += len(chunk)
        data = b"".join(parts)
        return data[:wanted], data[wanted:]
    if not until_end:
        return b"", rest
    parts, have = [rest], len(rest)
    while chunk := await stream.read():
        parts.append(chunk)
        have += len(chunk)
        if have > MAX_BODY:
            raise BadMessage("body too large")
    return b"".join(parts), b""


async def _read_chunked(stream: ByteStream, rest: bytes) -> tuple[bytes, bytes]:
    body = bytearray()
    while True:
        try:
            line, rest = await read_until(_Prefixed(rest, stream), b"\r\n", 256)
            size = int(line.strip().split(b";")[0], 16)
        except ValueError as error:
            raise BadMessage("bad chunk") from error
        if size < 0 or len(body) + size > MAX_BODY:
            raise BadMessage("body too large")
        while len(rest) < size + 2:
            chunk = await stream.read()
            if not chunk:
                raise EOFError
            rest += chunk
        body += rest[:size]
        rest = rest[size + 2 :]
        if size == 0:
            return bytes(body), rest


class _Prefixed:
    """A stream with some bytes put back in front."""

    def __init__(self, first: bytes, stream: ByteStream) -> None:
        self._first = first
        self._stream = stream

    async def read(self, limit: int = MAX_HEAD) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        await asyncio.sleep(0)
        return await self._stream.read(limit)

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)

    def close_write(self) -> None:
        self._stream.close_write()

    def close(self) -> None:
        self._stream.close()
