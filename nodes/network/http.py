"""HTTP/1.1 over the simulated network: what servers in containers and their clients need of it.

Bodies are whole and bounded; connections are kept alive by servers and used once by `request`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from nodes.network.dns import ResolvConf
from nodes.network.fabric import Network
from nodes.network.stream import ByteStream, Stream, read_until

MAX_HEAD = 32 * 1024
MAX_BODY = 4 * 1024 * 1024
# A server drops a connection that has asked for this much; clients open another.
MAX_REQUESTS_PER_CONNECTION = 1000


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

    @property
    def phrase(self) -> str:
        """The words after the status."""
        if self.reason:
            return self.reason
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return ""


App = Callable[[HttpRequest], Awaitable[HttpResponse]]


def serve_http(app: App) -> Callable[[Stream], Awaitable[None]]:
    """Return the handler of a listener: requests of one connection, one after the other."""

    async def handler(stream: Stream) -> None:
        rest = b""
        for _ in range(MAX_REQUESTS_PER_CONNECTION):
            try:
                request, rest = await read_request(stream, rest)
            except (BadMessage, ValueError):
                await write_response(stream, HttpResponse(400, body=b"bad request\n"), close=True)
                return
            if request is None:
                return
            response = await app(request)
            close = (
                request.headers.get("Connection").lower() == "close"
                or request.version == "HTTP/1.0"
            )
            await write_response(stream, response, close=close, head=request.method == "HEAD")
            if close:
                return

    return handler


async def read_request(stream: Stream, rest: bytes) -> tuple[HttpRequest | None, bytes]:
    """Read one request; None where the client has closed. Returns what came after it."""
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


async def write_response(
    stream: ByteStream, response: HttpResponse, *, close: bool, head: bool = False
) -> None:
    """Send one response with its length."""
    lines = [f"HTTP/1.1 {response.status} {response.phrase}"]
    lines += [f"{key}: {value}" for key, value in response.headers.items]
    if "Content-Length" not in response.headers:
        lines.append(f"Content-Length: {len(response.body)}")
    lines.append(f"Connection: {'close' if close else 'keep-alive'}")
    data = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    await stream.write(data if head else data + response.body)


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
) -> HttpResponse:
    """Send one request from an address of the network, and read its whole answer.

    Raises what `Network.connect` raises; TimeoutError too when the answer takes longer than
    `timeout` in all; BadMessage for an answer that is not HTTP. Redirects are not followed.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    started = network.clock.seconds()
    stream = await network.connect(src_ip, host, port, resolv=resolv, timeout=timeout)
    left = max(0.0, timeout - (network.clock.seconds() - started))
    fields = {"Host": parts.netloc.rpartition("@")[2], **(headers or {})}
    if body or method in ("POST", "PUT", "PATCH"):
        fields["Content-Length"] = str(len(body))
    fields["Connection"] = "close"
    lines = [f"{method} {target} HTTP/1.1", *(f"{key}: {value}" for key, value in fields.items())]
    deadline = network.clock.call_later(left, stream.close)
    try:
        await stream.write("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body)
        return await _read_response(stream, method)
    except (BrokenPipeError, EOFError):
        if network.clock.seconds() - started >= timeout:
            raise TimeoutError("timed out") from None
        raise ConnectionResetError("connection reset by peer") from None
    finally:
        deadline.cancel()
        stream.close()


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


async def _read_response(stream: Stream, method: str) -> HttpResponse:
    status, rest = 100, b""
    # Some servers say that they go on before they answer.
    while status < 200 and status != 101:
        head, rest = await _read_head(stream, rest)
        if not head:
            raise EOFError
        lines = head.decode("latin-1").split("\r\n")
        parts = lines[0].split(" ", 2)
        status = _status(parts)
    headers = _headers(lines[1:])
    body = b""
    if method != "HEAD" and status not in (204, 304):
        body, _ = await _read_body(stream, headers, rest, until_end=True)
    return HttpResponse(status, headers, body, parts[2] if len(parts) > 2 else "")


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


async def _read_body(
    stream: ByteStream, headers: Headers, rest: bytes, *, until_end: bool
) -> tuple[bytes, bytes]:
    if headers.get("Transfer-Encoding").lower() == "chunked":
        return await _read_chunked(stream, rest)
    length = headers.get("Content-Length")
    if length:
        if not length.isdigit() or int(length) > MAX_BODY:
            raise BadMessage("body too large")
        wanted = int(length)
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
    body = b""
    while True:
        line, rest = await read_until(_Prefixed(rest, stream), b"\r\n", 256)
        try:
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
        body, rest = body + rest[:size], rest[size + 2 :]
        if size == 0:
            return body, rest


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
