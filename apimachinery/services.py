"""Facts read off Services and the pods behind them: ports, endpoints, addresses shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apimachinery.meta import Obj, is_deleting, labels_of, name_of, namespace_of
from apimachinery.pods import TERMINAL, all_containers, is_ready, phase_of
from apimachinery.validation.names import parse_ip

Service = Mapping[str, Any]

# The label of the endpoints of services without an address of their own.
HEADLESS = "service.kubernetes.io/headless"
# Labels of IPAddresses, and who has those that belong to Services.
FAMILY, MANAGED_BY = "ipaddress.kubernetes.io/ip-family", "ipaddress.kubernetes.io/managed-by"
ALLOCATOR = "ipallocator.k8s.io"
_NO_ADDRESS = (None, "", "None")


def spec_of(service: Service) -> Mapping[str, Any]:
    found: Mapping[str, Any] = service.get("spec") or {}
    return found


def leads_somewhere(endpointslice: Mapping[str, Any]) -> bool:
    """Tell whether the endpoints of a slice can be reached: by a port, or by their names alone.

    Pods that lack the port that a service names are endpoints all the same, without a port.
    """
    return bool(endpointslice.get("ports")) or HEADLESS in labels_of(endpointslice)


def service_addresses(service: Service) -> list[str]:
    """Return the cluster addresses that a Service holds."""
    spec = spec_of(service)
    if spec.get("type") == "ExternalName":
        return []
    found = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [address for address in found if address not in _NO_ADDRESS]


def canonical(text: str) -> str:
    """Return an address in the one form that names its IPAddress."""
    address = parse_ip(text)
    return text if address is None else str(address)


def family_of(address: str) -> str:
    return "IPv6" if ":" in address else "IPv4"


def ip_address(name: str, service: Service) -> Obj:
    """Build the IPAddress by which a Service holds an address."""
    parent = {
        "group": "",
        "name": name_of(service),
        "namespace": namespace_of(service),
        "resource": "services",
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {"name": name, "labels": {FAMILY: family_of(name), MANAGED_BY: ALLOCATOR}},
        "spec": {"parentRef": parent},
    }


def is_headless(service: Service) -> bool:
    return spec_of(service).get("clusterIP") == "None"


def has_cluster_ip(service: Service) -> bool:
    return spec_of(service).get("clusterIP") not in (None, "", "None")


def cluster_ips(service: Service) -> list[str]:
    spec = spec_of(service)
    found = list(spec.get("clusterIPs") or ())
    if not found and spec.get("clusterIP"):
        found = [spec["clusterIP"]]
    return [address for address in found if address != "None"]


def target_port(pod: Mapping[str, Any], port: Mapping[str, Any]) -> int | None:
    """Return the container port behind a service port; None where the pod has no such name."""
    target = port.get("targetPort")
    if target is None or target in (0, ""):
        return int(port["port"])
    if isinstance(target, int):
        return target
    protocol = port.get("protocol") or "TCP"
    for container in all_containers(pod):
        for found in container.get("ports") or ():
            if found.get("name") == target and (found.get("protocol") or "TCP") == protocol:
                return int(found["containerPort"])
    return None


def pod_ips(pod: Mapping[str, Any]) -> list[str]:
    status = pod.get("status") or {}
    found = [one.get("ip") for one in status.get("podIPs") or () if one.get("ip")]
    return found or ([status["podIP"]] if status.get("podIP") else [])


def belongs_in_endpoints(pod: Mapping[str, Any], *, include_terminating: bool = True) -> bool:
    """Tell whether a selected pod is an endpoint at all: it has an address and has not ended."""
    if phase_of(pod) in TERMINAL or not pod_ips(pod):
        return False
    return include_terminating or not is_deleting(pod)


def endpoint_conditions(pod: Mapping[str, Any], service: Service) -> Obj:
    """Return ready, serving and terminating, as an EndpointSlice says them."""
    serving = is_ready(pod)
    terminating = is_deleting(pod)
    always = bool(spec_of(service).get("publishNotReadyAddresses"))
    return {
        "ready": always or (serving and not terminating),
        "serving": serving,
        "terminating": terminating,
    }


def endpoint_ports(pod: Mapping[str, Any], service: Service) -> list[Obj]:
    """Return the EndpointSlice ports that a pod gives a service; unknown names are left out."""
    ports: list[Obj] = []
    for port in spec_of(service).get("ports") or ():
        number = target_port(pod, port)
        if number is None:
            continue
        found: Obj = {
            "name": port.get("name") or "",
            "port": number,
            "protocol": port.get("protocol") or "TCP",
        }
        if port.get("appProtocol"):
            found["appProtocol"] = port["appProtocol"]
        ports.append(found)
    return ports


def hostname_in_endpoints(pod: Mapping[str, Any], service: Service) -> str:
    """Return the pod's own name in DNS below the service, "" where it has none."""
    spec = pod.get("spec") or {}
    same = spec.get("subdomain") == (service.get("metadata") or {}).get("name")
    return str(spec.get("hostname") or "") if same else ""
