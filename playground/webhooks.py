"""The API server's way to admission and conversion webhooks: Services, and URLs that are allowed.

A webhook with a URL is asked over the real network, and only where the operator has named its
host in KUBEGROUND_WEBHOOK_HOSTS. Either way its certificate has to be signed by the `caBundle` of
its configuration.
"""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
from collections.abc import Collection

import httpx

from apiserver.registry.calling import Address, CallError, ClientError, Response
from nodes.network.http import MAX_BODY
from nodes.network.http import request as http_request
from nodes.network.tls import TLSError
from playground.services import Services, dial_error

_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, */*",
    "User-Agent": "kube-apiserver-admission",
}
_TOO_LATE = "context deadline exceeded"


def allowed_hosts() -> frozenset[str]:
    """Return the hosts that the operator has named, separated by commas."""
    text = os.environ.get("KUBEGROUND_WEBHOOK_HOSTS", "")
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


class WebhookCalls:
    """Keeps apiserver.registry.calling.Call; asks from the API server's address."""

    def __init__(self, services: Services, allowed: Collection[str] = ()) -> None:
        self._services, self._allowed = services, allowed

    async def __call__(self, address: Address, body: bytes, timeout: float) -> Response:
        """Return the answer to a review. Raises CallError, ClientError."""
        if not address.service:
            return await self._outside(address, body, timeout)
        services = self._services
        trust = services.trust(address.ca_bundle, address.host)
        host, port = services.place(address.namespace, address.service, address.port)
        try:
            answer = await http_request(
                services.network,
                services.source,
                f"https://{host}:{port}{address.path}?timeout={timeout:.0f}s",
                method="POST",
                headers={**_HEADERS, "Host": f"{address.host}:{address.port}"},
                body=body,
                timeout=timeout,
                trust=trust,
            )
        except TimeoutError:
            raise CallError(_TOO_LATE) from None
        except TLSError as error:
            raise CallError(str(error)) from None
        except OSError as error:
            raise CallError(dial_error(error, host, port)) from None
        return Response(answer.status, answer.body)

    async def _outside(self, address: Address, body: bytes, timeout: float) -> Response:
        try:
            host = httpx.URL(address.url).host.lower()
        except httpx.InvalidURL as error:
            raise CallError(str(error)) from None
        if host not in self._allowed:
            raise CallError(f"dial tcp: lookup {host}: not allowed by KUBEGROUND_WEBHOOK_HOSTS")
        try:
            async with (
                asyncio.timeout(timeout),
                httpx.AsyncClient(
                    timeout=timeout, follow_redirects=False, verify=_outer_trust(address.ca_bundle)
                ) as client,
            ):
                url = f"{address.url}?timeout={timeout:.0f}s"
                async with client.stream("POST", url, content=body, headers=_HEADERS) as answer:
                    return Response(answer.status_code, await _whole(answer))
        except (TimeoutError, httpx.TimeoutException):
            raise CallError(_TOO_LATE) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CallError(_outer_error(error)) from None


async def _whole(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > MAX_BODY:
            raise CallError("webhook response is too large")
    return bytes(body)


def _outer_trust(bundle: str) -> ssl.SSLContext:
    """Return what is demanded of a server outside; without a bundle, the machine's authorities."""
    try:
        pem = base64.b64decode(bundle).decode("ascii") if bundle else None
        return ssl.create_default_context(cadata=pem)
    except (ValueError, ssl.SSLError):
        why = "unable to load root certificates: unable to parse bytes as PEM block"
        raise ClientError(why) from None


def _outer_error(error: Exception) -> str:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" not in text:
        return text
    _, _, why = text.partition("verify failed: ")
    if "issuer" in why or "self-signed" in why or "self signed" in why:
        why = "certificate signed by unknown authority"
    return f"tls: failed to verify certificate: x509: {why.partition(' (_ssl')[0]}"
