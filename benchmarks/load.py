"""Load from many connections: wrk, where it is installed, else a client of our own.

wrk is written in C and leaves nearly a whole core to the server; our own client takes about as
much of the machine as the server does, so its numbers are lower bounds.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import ssl
import subprocess
import tempfile
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvloop


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests answered in a second, and how many were not answered well."""

    per_second: float
    failed: int
    by: str


def request_rate(
    url: str,
    token: str,
    *,
    connections: int = 16,
    seconds: float = 5.0,
    body: str = "",
) -> Rate:
    """Ask for a URL (or post a body to it) as fast as it is answered."""
    headers = {"Authorization": f"Bearer {token}"}
    if body:
        headers["Content-Type"] = "application/json"
    if shutil.which("wrk"):
        return _wrk(url, headers, connections, seconds, body)
    return uvloop.run(_own(url, headers, connections, seconds, body))


def _wrk(url: str, headers: dict[str, str], connections: int, seconds: float, body: str) -> Rate:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if body:
            script.write(f"wrk.method = 'POST'\nwrk.body = [==[{body}]==]\n")
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "-s", script.name]
        for name, value in headers.items():
            command += ["-H", f"{name}: {value}"]
        said = subprocess.run(
            [*command, url], capture_output=True, text=True, check=True, timeout=seconds + 30
        ).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if rate is None:
        raise RuntimeError(said)
    return Rate(float(rate.group(1)), int(failed.group(1)) if failed else 0, "wrk")


class Asking(asyncio.Protocol):
    """One connection that sends its request again whenever it has been answered."""

    def __init__(self, request: bytes, until: float) -> None:
        self._request, self._until = request, until
        self._data = b""
        self.answered = self.failed = 0
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._transport.write(self.request())

    def request(self) -> bytes:
        """Return what is asked next."""
        return self._request

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, rest = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        size = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if size is None or len(rest) < int(size.group(1)):
            return
        self._data = b""
        self.answered += 1
        self.failed += not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201"))
        if time.perf_counter() < self._until:
            self._transport.write(self.request())
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set_result(None)


def unverified() -> ssl.SSLContext:
    """Return a TLS context that takes any certificate: what is measured is our own server."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _own(
    url: str, headers: dict[str, str], connections: int, seconds: float, body: str
) -> Rate:
    parts = urlsplit(url)
    lines = [
        f"{'POST' if body else 'GET'} {parts.path}?{parts.query} HTTP/1.1",
        f"Host: {parts.netloc}",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    request = ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
    context = unverified()
    begun = time.perf_counter()
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(
            lambda: Asking(request, begun + seconds), parts.hostname, parts.port, ssl=context
        )
        for _ in range(connections)
    ]
    clients = [client for _, client in made]
    await asyncio.gather(*(client.closed for client in clients))
    took = time.perf_counter() - begun
    answered = sum(client.answered for client in clients)
    return Rate(answered / took, sum(client.failed for client in clients), "own client")
