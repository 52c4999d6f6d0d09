"""What a Service may say: ports, addresses and their families, traffic policies, affinity."""

from __future__ import annotations

from apimachinery.meta import Obj, annotations_of
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    repeats,
    required,
)
from apimachinery.validation.names import (
    is_cidr,
    is_dns1123_label,
    is_dns1123_subdomain,
    is_ip,
    is_port_number,
    is_qualified_name,
    parse_ip,
)
from apiserver.registry.core import servicevalues as values
from apiserver.registry.core.endpoints import PROTOCOLS, special_ip_errors
from apiserver.registry.podspec.checks import IMMUTABLE, obey, one_of, one_of_required
from apiserver.registry.podspec.probes import port_errors
from apiserver.registry.podspec.selectors import label_errors

_SPEC = Path("spec")
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_FAMILIES = ("IPv4", "IPv6")
_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_TRAFFIC = ("Cluster", "Local")
_DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")
_ONLY_BALANCER = "may only be used when `type` is 'LoadBalancer'"
_ONCE = "may not change once set"
_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_MAX_AFFINITY = 86400


def service_errors(service: Obj) -> FieldErrors:
    """Yield what is wrong with a Service, new or changed."""
    spec = service["spec"]
    headless, kind = values.is_headless(spec), spec.get("type") or ""
    ports = spec.get("ports") or []
    if not ports and not headless and kind != "ExternalName":
        yield required(_SPEC / "ports")
    yield from _type_errors(spec, kind, headless=headless)
    names: set[str] = set()
    for at, port in enumerate(ports):
        yield from _port_errors(port, names, (_SPEC / "ports")[at], needs_name=len(ports) > 1)
    if selector := spec.get("selector"):
        yield from label_errors(selector, _SPEC / "selector")
    yield from _affinity_errors(spec)
    yield from cluster_ip_errors(spec)
    for at, address in enumerate(spec.get("externalIPs") or ()):
        path = (_SPEC / "externalIPs")[at]
        wrong = list(obey(is_ip, address, path))
        yield from wrong or special_ip_errors(address, path)
    yield from one_of_required(kind, _TYPES, _SPEC / "type")
    yield from _node_port_errors(ports, kind)
    yield from _balancer_errors(service, spec, kind)
    yield from _traffic_errors(spec)


def _type_errors(spec: Obj, kind: str, *, headless: bool) -> FieldErrors:
    if kind in ("LoadBalancer", "NodePort"):
        if headless:
            yield invalid(
                (_SPEC / "clusterIPs")[0],
                "None",
                f"may not be set to 'None' for {kind} services",
            )
    elif kind == "ExternalName":
        for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(name):
                yield forbidden(_SPEC / name, "may not be set for ExternalName services")
        target = (spec.get("externalName") or "").removesuffix(".")
        if target:
            yield from obey(is_dns1123_subdomain, target, _SPEC / "externalName")
        else:
            yield required(_SPEC / "externalName")


def _port_errors(port: Obj, names: set[str], path: Path, *, needs_name: bool) -> FieldErrors:
    name, number = port.get("name") or "", port.get("port") or 0
    if name:
        yield from obey(is_dns1123_label, name, path / "name")
        if name in names:
            yield duplicate(path / "name", name)
        names.add(name)
    elif needs_name:
        yield required(path / "name")
    for message in is_port_number(number):
        yield invalid(path / "port", number, message)
    yield from one_of_required(port.get("protocol"), PROTOCOLS, path / "protocol")
    yield from port_errors(port.get("targetPort"), path / "targetPort")
    if port.get("appProtocol") is not None:
        yield from obey(is_qualified_name, port["appProtocol"], path / "appProtocol")


def _affinity_errors(spec: Obj) -> FieldErrors:
    affinity, config = spec.get("sessionAffinity"), spec.get("sessionAffinityConfig")
    yield from one_of_required(affinity, ("ClientIP", "None"), _SPEC / "sessionAffinity")
    path = _SPEC / "sessionAffinityConfig"
    if affinity == "None" and config is not None:
        yield forbidden(path, "must not be set when session affinity is None")
    if affinity != "ClientIP":
        return
    seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
    if seconds is None:
        yield required(path, "when session affinity type is ClientIP")
    elif not 0 < seconds <= _MAX_AFFINITY:
        yield invalid(
            path / "clientIP" / "timeoutSeconds",
            seconds,
            f"must be greater than 0 and less than {_MAX_AFFINITY}",
        )


def cluster_ip_errors(spec: Obj) -> FieldErrors:
    """Yield what does not fit together in clusterIP, clusterIPs, ipFamilies and their policy."""
    if spec.get("type") == "ExternalName":
        return
    addresses, families = spec.get("clusterIPs") or [], spec.get("ipFamilies") or []
    path = _SPEC / "clusterIPs"
    yield from _first_errors(spec.get("clusterIP") or "", addresses, path)
    yield from _family_errors(spec, families)
    wrong = list(_address_errors(addresses, path))
    yield from wrong
    if len(addresses) > 2:
        yield invalid(path, addresses, "may only hold up to 2 values")
    if wrong:
        return
    versions = {ip.version for text in addresses if (ip := parse_ip(text))}
    if len(addresses) > 1 and len(versions) != 2:
        yield invalid(path, addresses, "may specify no more than one IP for each IP family")
    if not values.is_headless(spec):
        yield from _match_errors(addresses, families, path)


def _first_errors(first: str, addresses: list[str], path: Path) -> FieldErrors:
    if first and not addresses:
        yield required(path)
    elif first and addresses[0] != first:
        yield invalid(path, addresses, "first value must match `clusterIP`")
    elif addresses and not first:
        yield invalid(path, addresses, "must be empty when `clusterIP` is not specified")


def _family_errors(spec: Obj, families: list[str]) -> FieldErrors:
    again = repeats(families)
    for at, family in enumerate(families):
        yield from one_of(family, _FAMILIES, (_SPEC / "ipFamilies")[at])
        if at in again:
            yield duplicate((_SPEC / "ipFamilies")[at], family)
    if (policy := spec.get("ipFamilyPolicy")) is not None:
        yield from one_of(policy, _FAMILY_POLICIES, _SPEC / "ipFamilyPolicy")


def _address_errors(addresses: list[str], path: Path) -> FieldErrors:
    for at, address in enumerate(addresses):
        if at == 0 and address == "None":
            if len(addresses) > 1:
                yield invalid(path, addresses, "'None' must be the first and only value")
            continue
        yield from obey(is_ip, address, path[at])


def _match_errors(addresses: list[str], families: list[str], path: Path) -> FieldErrors:
    for at, (address, family) in enumerate(zip(addresses, families, strict=False)):
        parsed = parse_ip(address)
        if parsed is not None and f"IPv{parsed.version}" != family and family in _FAMILIES:
            yield invalid(
                path[at],
                address,
                f"expected an {family} value as indicated by `ipFamilies[{at}]`",
            )


def _node_port_errors(ports: list[Obj], kind: str) -> FieldErrors:
    path = _SPEC / "ports"
    if kind == "ClusterIP":
        for at, port in enumerate(ports):
            if port.get("nodePort"):
                yield forbidden(path[at] / "nodePort", "may not be used when `type` is 'ClusterIP'")
    seen: set[tuple[str, int]] = set()
    for at, port in enumerate(ports):
        key = (port.get("protocol") or "", port.get("nodePort") or 0)
        if key[1] and key in seen:
            yield duplicate(path[at] / "nodePort", key[1])
        seen.add(key)
    seen = set()
    for at, port in enumerate(ports):
        key = (port.get("protocol") or "", port.get("port") or 0)
        if key in seen:
            yield duplicate(
                path[at],
                {
                    "Name": "",
                    "Protocol": key[0],
                    "AppProtocol": None,
                    "Port": key[1],
                    "TargetPort": 0,
                    "NodePort": 0,
                },
            )
        seen.add(key)


def _balancer_errors(service: Obj, spec: Obj, kind: str) -> FieldErrors:
    yield from _range_errors(service, spec, kind)
    allocate = spec.get("allocateLoadBalancerNodePorts")
    if allocate is not None and kind != "LoadBalancer":
        yield forbidden(_SPEC / "allocateLoadBalancerNodePorts", _ONLY_BALANCER)
    if allocate is None and kind == "LoadBalancer":
        yield required(Path("allocateLoadBalancerNodePorts"))
    name, path = spec.get("loadBalancerClass"), _SPEC / "loadBalancerClass"
    if name is None:
        return
    if kind == "LoadBalancer":
        yield from obey(is_qualified_name, name, path)
    else:
        yield forbidden(path, _ONLY_BALANCER)


def _range_errors(service: Obj, spec: Obj, kind: str) -> FieldErrors:
    ranges, path = spec.get("loadBalancerSourceRanges"), _SPEC / "LoadBalancerSourceRanges"
    if ranges:
        if kind != "LoadBalancer":
            yield forbidden(path, _ONLY_BALANCER)
        for at, text in enumerate(ranges):
            yield from obey(is_cidr, text.strip(), path[at])
        return
    annotation = annotations_of(service).get(_RANGES)
    if annotation is None:
        return
    path = (Path("metadata") / "annotations").key(_RANGES)
    if kind != "LoadBalancer":
        yield forbidden(path, _ONLY_BALANCER)
    if annotation.strip():
        for text in annotation.split(","):
            yield from obey(is_cidr, text.strip(), path)


def _traffic_errors(spec: Obj) -> FieldErrors:
    policy, path = spec.get("externalTrafficPolicy"), _SPEC / "externalTrafficPolicy"
    if values.externally_accessible(spec):
        yield from one_of_required(policy, _TRAFFIC, path)
    elif policy:
        yield invalid(path, policy, "may only be set for externally-accessible services")
    port, path = spec.get("healthCheckNodePort") or 0, _SPEC / "healthCheckNodePort"
    if values.needs_health_port(spec):
        if not port:
            yield required(path)
        else:
            for message in is_port_number(port):
                yield invalid(path, port, message)
    elif port:
        yield invalid(
            path,
            port,
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        )
    policy, path = spec.get("internalTrafficPolicy"), _SPEC / "internalTrafficPolicy"
    if policy is None and values.needs_address(spec):
        yield required(path)
    elif policy is not None and policy not in _TRAFFIC:
        yield not_supported(path, policy, _TRAFFIC)
    if (distribution := spec.get("trafficDistribution")) is not None:
        yield from one_of(distribution, _DISTRIBUTIONS, _SPEC / "trafficDistribution")


def update_errors(new: Obj, old: Obj) -> FieldErrors:
    """Yield what a Service that exists may not change."""
    after, before = new["spec"], old["spec"]
    if "ExternalName" not in (after.get("type"), before.get("type")):
        yield from _address_change_errors(after, before)
    if after.get("type") == before.get("type") == "LoadBalancer" and after.get(
        "loadBalancerClass"
    ) != before.get("loadBalancerClass"):
        yield invalid(_SPEC / "loadBalancerClass", after.get("loadBalancerClass"), _ONCE)
    both = values.needs_health_port(before) and values.needs_health_port(after)
    if both and after.get("healthCheckNodePort") != before.get("healthCheckNodePort"):
        yield forbidden(_SPEC / "healthCheckNodePort", IMMUTABLE)


def _address_change_errors(after: Obj, before: Obj) -> FieldErrors:
    headless = values.is_headless(after), values.is_headless(before)
    if headless == (True, True):
        return
    now, was, path = (
        after.get("clusterIPs") or [],
        before.get("clusterIPs") or [],
        _SPEC / "clusterIPs",
    )
    if len(now) == len(was):
        for at, (one, other) in enumerate(zip(now, was, strict=True)):
            if one != other:
                yield invalid(path[at], now, _ONCE)
    elif was and not now:
        yield invalid(path[0], now or None, "primary clusterIP can not be unset")
    elif was and now[0] != was[0]:
        yield invalid(path[0], now, _ONCE)
    families, old_families = after.get("ipFamilies") or [], before.get("ipFamilies") or []
    if headless[0] != headless[1] or not families:
        return
    if old_families and families[0] != old_families[0]:
        yield invalid((_SPEC / "ipFamilies")[0], families, _ONCE)


def load_balancer_status_errors(service: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with the addresses of a load balancer."""
    ingresses = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    if ingresses and service["spec"].get("type") != "LoadBalancer":
        yield forbidden(path / "ingress", "may only be used when `spec.type` is 'LoadBalancer'")
        return
    for at, ingress in enumerate(ingresses):
        yield from _ingress_errors(ingress, (path / "ingress")[at])


def _ingress_errors(ingress: Obj, path: Path) -> FieldErrors:
    address, mode, host = (ingress.get(name) for name in ("ip", "ipMode", "hostname"))
    if address:
        yield from obey(is_ip, address, path / "ip")
        if mode is None:
            yield required(path / "ipMode", "must be specified when `ip` is set")
    if mode is not None and not address:
        yield forbidden(path / "ipMode", "may not be specified when `ip` is not set")
    elif mode is not None:
        yield from one_of(mode, ("Proxy", "VIP"), path / "ipMode")
    if host:
        yield from obey(is_dns1123_subdomain, host, path / "hostname")
        if parse_ip(host) is not None:
            yield invalid(path / "hostname", host, "must be a DNS name, not an IP address")
