"""The way to a webhook: what is sent where, and what may come back.

The API server is handed a `Call` when a cluster is put together. On the simulated network it
reaches Services; certificates play no part there, so a `caBundle` is not looked at. A URL outside
is reached only where an operator allows its host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Address:
    """Where a webhook listens: a port of a Service, or a URL."""

    url: str
    namespace: str = ""
    service: str = ""
    port: int = 443
    path: str = "/"

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Address:
        """Return the address that a clientConfig names."""
        service = config.get("service")
        if not service:
            return cls(str(config.get("url") or ""))
        namespace, name = service.get("namespace") or "", service.get("name") or ""
        port, path = service.get("port") or 443, service.get("path") or "/"
        path = path if path.startswith("/") else f"/{path}"
        url = f"https://{name}.{namespace}.svc:{port}{path}"
        return cls(url, namespace, name, port, path)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back over HTTP."""

    code: int
    body: bytes


class CallError(Exception):
    """Nothing came back; the text is the network's word for why."""


# Sends a body to an address and waits some seconds for the answer. Raises CallError.
Call = Callable[[Address, bytes, float], Awaitable[Response]]


async def no_call(address: Address, body: bytes, timeout: float) -> Response:
    """Reach nobody: stands in where there is no network."""
    del body, timeout
    name = address.service or address.url
    raise CallError(f'service "{name}" not found')
