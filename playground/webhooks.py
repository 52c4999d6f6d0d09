"""The API server's way to admission webhooks: Services on the simulated network, and allowed URLs.

The simulated network carries no TLS, so whatever listens behind a webhook's Service is asked in
plain HTTP, and a `caBundle` is not looked at. A webhook with a URL is asked over the real network,
with certificates checked against the machine's own authorities, and only where the operator has
named its host in KUBEGROUND_WEBHOOK_HOSTS.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import httpx

from apimachinery.meta import Obj
from apiserver.admission.webhooks.calling import Address, CallError, Response
from apiserver.registry.objects import StoredObjects
from nodes.network.fabric import Network
from nodes.network.http import request as http_request

_SERVICE = "kubernetes.io/service-name"
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, */*",
    "User-Agent": "kube-apiserver-admission",
}
_TOO_LATE = "context deadline exceeded"
MAX_ANSWER = 4 * 1024 * 1024


def allowed_hosts() -> frozenset[str]:
    """Return the hosts that the operator has named, separated by commas."""
    text = os.environ.get("KUBEGROUND_WEBHOOK_HOSTS", "")
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


class WebhookCalls:
    """Keeps apiserver.admission.webhooks.calling.Call; asks from the API server's address."""

    def __init__(
        self,
        network: Network,
        objects: StoredObjects,
        source: str,
        allowed: Collection[str] = (),
    ) -> None:
        self._network, self._objects, self._source = network, objects, source
        self._allowed = allowed

    async def __call__(self, address: Address, body: bytes, timeout: float) -> Response:
        """Return the answer to a review. Raises CallError."""
        if not address.service:
            return await self._outside(address, body, timeout)
        host, port = self._place(address)
        name = f"{address.service}.{address.namespace}.svc"
        url = f"http://{host}:{port}{address.path}?timeout={timeout:.0f}s"
        try:
            answer = await http_request(
                self._network,
                self._source,
                url,
                method="POST",
                headers={**_HEADERS, "Host": f"{name}:{address.port}"},
                body=body,
                timeout=timeout,
            )
        except TimeoutError:
            raise CallError(_TOO_LATE) from None
        except OSError as error:
            why = str(error) or "connection refused"
            shown = why if ": " in why else f"connect: {why}"
            raise CallError(f"dial tcp {host}:{port}: {shown}") from None
        return Response(answer.status, answer.body)

    def _place(self, address: Address) -> tuple[str, int]:
        """Return an endpoint of the Service, or its own address where it has one."""
        namespace, name = address.namespace, address.service
        service = self._objects.get("services", namespace, name)
        if service is None:
            raise CallError(f'service "{name}" not found')
        spec = service.get("spec") or {}
        if spec.get("type") == "ExternalName":
            return str(spec.get("externalName")), address.port
        port = next((p for p in spec.get("ports") or () if p["port"] == address.port), None)
        if port is None:
            raise CallError(f'no service port {address.port} found for service "{name}"')
        for part in self._objects.list("endpointslices.discovery.k8s.io", namespace):
            if (part["metadata"].get("labels") or {}).get(_SERVICE) == name:
                found = _ready(part, port)
                if found is not None:
                    return found
        raise CallError(f'no endpoints available for service "{name}"')

    async def _outside(self, address: Address, body: bytes, timeout: float) -> Response:
        parts = urlsplit(address.url)
        host = (parts.hostname or "").lower()
        if host not in self._allowed:
            raise CallError(f"dial tcp: lookup {host}: not allowed by KUBEGROUND_WEBHOOK_HOSTS")
        try:
            async with httpx.AsyncClient(timeout=timeout, follow_redirects=False) as client:
                url = f"{address.url}?timeout={timeout:.0f}s"
                answer = await client.post(url, content=body, headers=_HEADERS)
        except httpx.TimeoutException:
            raise CallError(_TOO_LATE) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CallError(str(error)) from None
        if len(answer.content) > MAX_ANSWER:
            raise CallError("webhook response is too large")
        return Response(answer.status_code, answer.content)


def _ready(part: Obj, port: Obj) -> tuple[str, int] | None:
    """Return a ready endpoint of a slice, and the port that the Service's port means there."""
    name = port.get("name") or ""
    numbers: list[Any] = [p["port"] for p in part.get("ports") or () if p.get("name", "") == name]
    for endpoint in part.get("endpoints") or ():
        if (endpoint.get("conditions") or {}).get("ready") is not False and numbers:
            return endpoint["addresses"][0], numbers[0]
    return None
