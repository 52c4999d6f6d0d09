"""The API server's way to Services of the simulated network: where they are, whom to trust there.

As with --enable-aggregator-routing, a Service is asked at an endpoint of it, so that what answers
does not depend on the rules of any node.
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from apimachinery.meta import Obj
from apiserver.registry.calling import CallError, ClientError
from apiserver.registry.objects import StoredObjects
from nodes.network.fabric import NameNotFound, Network
from nodes.network.tls import KeyPair, Trust, read_bundle

_SERVICE = "kubernetes.io/service-name"
# What is trusted is kept with its OpenSSL context: making one takes longer than a handshake.
_KEPT = 64


@dataclass(slots=True)
class Services:
    """The Services of one cluster, as its API server at `source` reaches them."""

    network: Network
    objects: StoredObjects
    source: str
    _trusts: OrderedDict[tuple[Any, ...], Trust] = field(default_factory=OrderedDict)

    def place(self, namespace: str, name: str, port: int) -> tuple[str, int]:
        """Return the address and port of a ready endpoint. Raises CallError."""
        service = self.objects.get("services", namespace, name)
        if service is None:
            raise CallError(f'service "{name}" not found')
        spec = service.get("spec") or {}
        if spec.get("type") == "ExternalName":
            return str(spec.get("externalName")), port
        wanted = next((p for p in spec.get("ports") or () if p["port"] == port), None)
        if wanted is None:
            raise CallError(f'no service port {port} found for service "{name}"')
        for part in self.objects.list("endpointslices.discovery.k8s.io", namespace):
            if (part["metadata"].get("labels") or {}).get(_SERVICE) == name:
                found = _ready(part, wanted)
                if found is not None:
                    return found
        raise CallError(f'no endpoints available for service "{name}"')

    def trust(
        self, bundle: str, name: str, *, insecure: bool = False, pair: KeyPair | None = None
    ) -> Trust:
        """Return what is demanded of a server: `bundle` is PEM in base64. Raises ClientError."""
        key = (bundle, name, insecure, pair)
        found = self._trusts.get(key)
        if found is None:
            try:
                roots = read_bundle(base64.b64decode(bundle)) if bundle else []
            except ValueError as error:
                raise ClientError(str(error)) from None
            found = self._trusts[key] = Trust(roots, name, insecure, pair)
            if len(self._trusts) > _KEPT:
                self._trusts.popitem(last=False)
        return found


def _ready(part: Obj, port: Obj) -> tuple[str, int] | None:
    """Return a ready endpoint of a slice, and the port that the Service's port means there."""
    name = port.get("name") or ""
    numbers: list[Any] = [
        p["port"] for p in part.get("ports") or () if (p.get("name") or "") == name
    ]
    for endpoint in part.get("endpoints") or ():
        if (endpoint.get("conditions") or {}).get("ready") is not False and numbers:
            return endpoint["addresses"][0], numbers[0]
    return None


def dial_error(error: OSError, host: str, port: int) -> str:
    """Return what Go says of a connection that did not come about, or broke off."""
    if isinstance(error, NameNotFound):
        return f"dial tcp: lookup {host}: no such host"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "EOF"
    why = error.strerror or str(error) or "connection refused"
    why = why[0].lower() + why[1:]
    return f"dial tcp {host}:{port}: {why if ': ' in why else f'connect: {why}'}"
