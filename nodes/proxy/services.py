"""What a Service asks of the proxy: its addresses, ports and policies, read off the object."""

from __future__ import annotations

from dataclasses import dataclass

from apimachinery.meta import Obj, name_of, namespace_of

# service.spec.sessionAffinityConfig.clientIP.timeoutSeconds where it is not set: three hours.
DEFAULT_AFFINITY_SECONDS = 10800


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service, and every address at which it answers."""

    name: str  # "namespace/service:port", as kube-proxy names it
    port_name: str
    protocol: str
    port: int
    cluster_ips: tuple[str, ...]
    external_ips: tuple[str, ...]
    node_port: int
    internal_local: bool
    external_local: bool
    affinity_seconds: int


def service_ports(service: Obj) -> list[ServicePort]:
    """Return the ports that need rules: none for headless and ExternalName Services."""
    spec = service.get("spec") or {}
    cluster_ips = tuple(
        ip
        for ip in spec.get("clusterIPs") or [spec.get("clusterIP")]
        if ip not in (None, "", "None")
    )
    if spec.get("type") == "ExternalName" or not cluster_ips:
        return []
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    external = tuple(spec.get("externalIPs") or ()) + tuple(
        entry["ip"] for entry in ingress if entry.get("ip") and entry.get("ipMode", "VIP") == "VIP"
    )
    affinity = 0
    if spec.get("sessionAffinity") == "ClientIP":
        config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        affinity = config.get("timeoutSeconds") or DEFAULT_AFFINITY_SECONDS
    base = f"{namespace_of(service)}/{name_of(service)}"
    return [
        ServicePort(
            name=f"{base}:{port['name']}" if port.get("name") else base,
            port_name=port.get("name") or "",
            protocol=port.get("protocol") or "TCP",
            port=port["port"],
            cluster_ips=cluster_ips,
            external_ips=external,
            node_port=port.get("nodePort") or 0,
            internal_local=spec.get("internalTrafficPolicy") == "Local",
            external_local=spec.get("externalTrafficPolicy") == "Local",
            affinity_seconds=affinity,
        )
        for port in spec.get("ports") or ()
    ]
