"""What a Service of each type has, what an update may leave out, and what a change lets go."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj

_WITH_ADDRESS = ("ClusterIP", "NodePort", "LoadBalancer")


def needs_address(spec: Obj) -> bool:
    return spec.get("type") in _WITH_ADDRESS


def needs_node_ports(spec: Obj) -> bool:
    if spec.get("type") == "LoadBalancer":
        return spec.get("allocateLoadBalancerNodePorts") is not False
    return spec.get("type") == "NodePort"


def needs_health_port(spec: Obj) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def is_headless(spec: Obj) -> bool:
    return spec.get("clusterIPs") == ["None"]


def externally_accessible(spec: Obj) -> bool:
    """Tell whether a Service can be reached from outside of the cluster."""
    if spec.get("type") in ("LoadBalancer", "NodePort"):
        return True
    return spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs"))


def sync_cluster_ips(new: Obj, old: Obj | None) -> None:
    """Keep clusterIP and clusterIPs in step, whichever of the two a client knows."""
    if old is None:
        if new.get("clusterIP") and not new.get("clusterIPs"):
            new["clusterIPs"] = [new["clusterIP"]]
        return
    before, after = old.get("clusterIP") or "", new.get("clusterIP") or ""
    if after == before:
        return
    if (new.get("clusterIPs") or []) == (old.get("clusterIPs") or []):
        if after:
            new["clusterIPs"] = [after]
        else:
            new.pop("clusterIPs", None)


def adopt(new: Obj, old: Obj) -> None:
    """Fill in what an update left out and the Service already has."""
    if needs_address(new) and needs_address(old):
        _adopt_address(new, old)
    if needs_node_ports(new) and needs_node_ports(old):
        _adopt_ports(new.get("ports") or (), old.get("ports") or ())
    health = old.get("healthCheckNodePort")
    if health and needs_health_port(new) and needs_health_port(old):
        new["healthCheckNodePort"] = new.get("healthCheckNodePort") or health


def _adopt_address(new: Obj, old: Obj) -> None:
    if not new.get("clusterIP") and old.get("clusterIP"):
        new["clusterIP"] = old["clusterIP"]
    same = new.get("clusterIP") == old.get("clusterIP")
    if same and not new.get("clusterIPs") and old.get("clusterIPs"):
        new["clusterIPs"] = list(old["clusterIPs"])


def _adopt_ports(new: Any, old: Any) -> None:
    used = {p.get("nodePort") for p in old} & {p.get("nodePort") for p in new}
    by_name = {p.get("name") or "": p.get("nodePort") for p in old}
    for port in new:
        known = by_name.get(port.get("name") or "")
        if not port.get("nodePort") and known and known not in used:
            port["nodePort"] = known
            used.add(known)


def drop_by_type(new: Obj, old: Obj) -> None:
    """Drop what the new type has no use for, unless this very update sets it."""
    if needs_address(old) and not needs_address(new):
        _drop_same(new, old, ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"))
    if needs_node_ports(old) and not needs_node_ports(new):
        ports, before = new.get("ports") or (), old.get("ports") or ()
        if [p.get("nodePort") for p in ports] == [p.get("nodePort") for p in before]:
            for port in ports:
                port.pop("nodePort", None)
    if needs_health_port(old) and not needs_health_port(new):
        _drop_same(new, old, ("healthCheckNodePort",))
    if old.get("type") == "LoadBalancer" and new.get("type") != "LoadBalancer":
        _drop_same(new, old, ("allocateLoadBalancerNodePorts", "loadBalancerClass"))
    if externally_accessible(old) and not externally_accessible(new):
        _drop_same(new, old, ("externalTrafficPolicy",))
    if needs_address(old) and new.get("type") == "ExternalName":
        _drop_same(new, old, ("internalTrafficPolicy",))


def _drop_same(new: Obj, old: Obj, names: tuple[str, ...]) -> None:
    for name in names:
        if new.get(name) == old.get(name):
            new.pop(name, None)
