"""The way out to webhooks: what is sent where, and what may come back.

The API server is handed a `Call` when a cluster is put together. It reaches Services on the
simulated network under TLS; a URL outside is reached only where an operator allows its host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_PORT = 443


@dataclass(frozen=True, slots=True)
class Address:
    """Where a webhook listens: a port of a Service, or a URL; and who has to have signed for it."""

    url: str
    namespace: str = ""
    service: str = ""
    port: int = DEFAULT_PORT
    path: str = "/"
    # Certificates of authorities, as a clientConfig holds them: PEM in base64.
    ca_bundle: str = ""

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Address:
        """Return the address that a clientConfig names."""
        service, bundle = config.get("service"), config.get("caBundle") or ""
        if not service:
            return cls(str(config.get("url") or ""), ca_bundle=bundle)
        namespace, name = service.get("namespace") or "", service.get("name") or ""
        port, path = service.get("port") or DEFAULT_PORT, service.get("path") or "/"
        path = path if path.startswith("/") else f"/{path}"
        url = f"https://{name}.{namespace}.svc:{port}{path}"
        return cls(url, namespace, name, port, path, bundle)

    @property
    def host(self) -> str:
        """The name that the Service's certificate has to have."""
        return f"{self.service}.{self.namespace}.svc"


@dataclass(frozen=True, slots=True)
class Response:
    """What came back over HTTP."""

    code: int
    body: bytes


class CallError(Exception):
    """Nothing came back; the text is the network's word for why."""


class ClientError(Exception):
    """Nobody was asked: what is said of the webhook cannot be used."""


# Sends a body to an address and waits some seconds for the answer. Raises CallError, ClientError.
Call = Callable[[Address, bytes, float], Awaitable[Response]]


async def no_call(address: Address, body: bytes, timeout: float) -> Response:
    """Reach nobody: stands in where there is no network."""
    del body, timeout
    name = address.service or address.url
    raise CallError(f'service "{name}" not found')


async def post(call: Call, address: Address, body: bytes, timeout: float) -> bytes:
    """Return the body of a good answer. Raises CallError as Go's HTTP client says it."""
    try:
        response = await call(address, body, timeout)
    except CallError as error:
        raise CallError(f'Post "{address.url}?timeout={timeout:.0f}s": {error}') from None
    if not 200 <= response.code < 300:
        raise CallError(_refused(response))
    return response.body


# What a client says of a code whose answer is no Status.
_SAID = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    403: "unknown",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict",
    410: "the server has removed the requested resource",
    422: "the server rejected our request due to an error in our request",
    503: "the server is currently unable to handle the request",
    504: (
        "the server was unable to return a response in the time allotted, but may still be "
        "processing the request"
    ),
    429: "the server has received too many requests and has asked us to try again later",
}


def _refused(response: Response) -> str:
    """Return what a client says of an answer that is an error."""
    code, said = response.code, _SAID.get(response.code)
    if code == 403:
        return response.body.decode(errors="replace").strip() or "unknown"
    if said is not None:
        return said
    text = response.body.decode(errors="replace").strip() or "unknown"
    if code >= 500:
        return f'an error on the server ("{text}") has prevented the request from succeeding'
    return f"the server responded with the status code {code} but did not return more information"
