"""Whether an APIService is available: kube-aggregator's checks, in its order and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from apimachinery.meta import Obj
from apiserver.auth.user import MASTERS, User
from apiserver.endpoints.aggregation.proxying import user_fields
from apiserver.endpoints.aggregation.remotes import Remote, Server, Servers, Unresolved
from apiserver.registry.calling import CallError
from apiserver.registry.strategy import ObjectReader

SERVICES, SLICES = "services", "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
# An extension server is asked as somebody who may do all, so that the answer tells its health.
PROBER = User("system:kube-aggregator", (MASTERS,))
PROBE_TIMEOUT = 5.0


class Availability(NamedTuple):
    """The condition Available of an APIService."""

    status: str
    reason: str
    message: str

    @property
    def holds(self) -> bool:
        return self.status == "True"


LOCAL = Availability("True", "Local", "Local APIServices are always available")
PASSED = Availability("True", "Passed", "all checks passed")


def check_service(server: Server, objects: ObjectReader) -> Availability:
    """Look at the Service and its endpoints."""
    shown = f'service/{server.service} in "{server.namespace}"'
    found = objects.get(SERVICES, server.namespace, server.service)
    if found is None:
        return _no("ServiceNotFound", f"{shown} is not present")
    if (found["spec"].get("type") or "ClusterIP") != "ClusterIP":
        return PASSED
    ports = found["spec"].get("ports") or ()
    wanted = next((port for port in ports if port["port"] == server.port), None)
    if wanted is None:
        return _no("ServicePortError", f"{shown} is not listening on port {server.port}")
    slices = [
        part
        for part in objects.list(SLICES, server.namespace)
        if (part["metadata"].get("labels") or {}).get(SERVICE_NAME) == server.service
    ]
    if not slices:
        return _no("EndpointsNotFound", f"cannot find endpointslices for {shown}")
    name = wanted.get("name") or ""
    if not _has_address(slices, name):
        why = f'endpointslices for {shown} have no addresses with port name "{name}"'
        return _no("MissingEndpoints", why)
    return PASSED


def _has_address(slices: Sequence[Obj], port: str) -> bool:
    return any(
        any((given.get("name") or "") == port for given in part.get("ports") or ())
        and any(
            (endpoint.get("conditions") or {}).get("ready") is not False
            for endpoint in part.get("endpoints") or ()
        )
        for part in slices
    )


async def check_discovery(
    remote: Remote, servers: Servers | None, objects: ObjectReader
) -> Availability:
    """Ask the server for the document that it has to serve; its certificate is not looked at."""
    server = remote.server
    service = objects.get(SERVICES, server.namespace, server.service) or {"spec": {}}
    path = f"/apis/{remote.version.api_version}"
    url = f"https://{service['spec'].get('clusterIP')}:{server.port}{path}"
    if servers is None:
        return _no("FailedDiscoveryCheck", "the cluster's network cannot be reached")
    try:
        trusting = Server(server.namespace, server.service, server.port, insecure=True)
        answer = await servers.open(
            trusting, "GET", path, user_fields(PROBER), timeout=PROBE_TIMEOUT
        )
    except Unresolved as error:
        return _no("FailedDiscoveryCheck", str(error))
    except CallError as error:
        return _failed(url, f'Get "{url}": {error}')
    answer.close()
    if not 200 <= answer.status < 300:
        return _failed(url, f"bad status from {url}: {answer.status}")
    return PASSED


def _failed(url: str, why: str) -> Availability:
    return _no("FailedDiscoveryCheck", f"failing or missing response from {url}: {why}")


def _no(reason: str, message: str) -> Availability:
    return Availability("False", reason, message)
