"""EndpointSlices: the addresses behind a Service, a hundred or so at a time."""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj, labels_of
from apimachinery.validation.addresses import ip_warnings
from apimachinery.validation.field import FieldErrors, Path, duplicate, invalid, required, too_many
from apimachinery.validation.metadata import validate_labels
from apimachinery.validation.names import (
    is_dns1123_label,
    is_dns1123_subdomain,
    is_ipv4,
    is_ipv6,
    is_label_value,
    is_qualified_name,
)
from apiserver.registry.core.endpoints import special_ip_errors
from apiserver.registry.podspec.checks import immutable, obey, one_of_required
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, field, first_few

_TYPES = ("FQDN", "IPv4", "IPv6")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_MOST_ADDRESSES = 100
_MOST_PORTS = 20_000
_MOST_ENDPOINTS = 1000
_MOST_TOPOLOGY = 16
_MOST_HINTS = 8
_HOSTNAME = "kubernetes.io/hostname"
# These write addresses as they should be.
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_CONTROLLERS = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")
_SHOWN = 3
_LEAST_LABELS = 2


class EndpointSliceStrategy(Strategy):
    """The kind of address is for good; labels count as content, since Services select by them."""

    has_generation = True

    def default(self, obj: Obj) -> None:
        for port in obj.get("ports") or ():
            if port.get("name") is None:
                port["name"] = ""
            if port.get("protocol") is None:
                port["protocol"] = "TCP"

    def spec_changed(self, new: Obj, old: Obj) -> bool:
        return labels_of(new) != labels_of(old) or super().spec_changed(new, old)

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        _drop_topology(obj, None)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        if new.get("endpoints") != old.get("endpoints"):
            _drop_topology(new, old)

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        found = []
        if obj.get("addressType") == "FQDN":
            found.append(f"{Path('spec') / 'addressType'}: FQDN endpoints are deprecated")
        if labels_of(obj).get(_MANAGED_BY) in _CONTROLLERS or obj.get("addressType") == "FQDN":
            return found
        for at, endpoint in enumerate(obj.get("endpoints") or ()):
            for index, address in enumerate(endpoint.get("addresses") or ()):
                found += ip_warnings(address, (Path("endpoints")[at] / "addresses")[index])
        return found

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return self.warnings_on_create(new, ctx)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        kind = obj.get("addressType") or ""
        yield from one_of_required(kind, _TYPES, Path("addressType"))
        endpoints = obj.get("endpoints") or ()
        path = Path("endpoints")
        if len(endpoints) > _MOST_ENDPOINTS:
            yield too_many(path, len(endpoints), _MOST_ENDPOINTS)
        else:
            for at, endpoint in enumerate(endpoints):
                yield from _endpoint_errors(endpoint, kind, path[at])
        yield from _port_errors(obj.get("ports") or (), Path("ports"))

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        path = Path("addressType")
        yield from immutable(new.get("addressType"), old.get("addressType"), path)


def _drop_topology(new: Obj, old: Obj | None) -> None:
    """Drop what v1 cannot write; of a node that was known by it the name is kept."""
    known = {
        topology.get(_HOSTNAME)
        for endpoint in (old or {}).get("endpoints") or ()
        if (topology := endpoint.get("deprecatedTopology"))
    }
    for endpoint in new.get("endpoints") or ():
        topology = endpoint.pop("deprecatedTopology", None) or {}
        node = topology.get(_HOSTNAME) or ""
        if endpoint.get("nodeName") is None and node in known and not is_dns1123_subdomain(node):
            endpoint["nodeName"] = node


def _endpoint_errors(endpoint: Obj, kind: str, path: Path) -> FieldErrors:
    addresses, where = endpoint.get("addresses") or (), path / "addresses"
    if not addresses:
        yield required(where, "must contain at least 1 address")
    elif len(addresses) > _MOST_ADDRESSES:
        yield too_many(where, len(addresses), _MOST_ADDRESSES)
    for at, address in enumerate(addresses):
        yield from _address_errors(address, kind, where[at])
    if endpoint.get("nodeName") is not None:
        yield from obey(is_dns1123_subdomain, endpoint["nodeName"], path / "nodeName")
    topology = endpoint.get("deprecatedTopology") or {}
    if len(topology) > _MOST_TOPOLOGY:
        yield too_many(path / "deprecatedTopology", len(topology), _MOST_TOPOLOGY)
    yield from validate_labels(topology, path / "deprecatedTopology")
    if endpoint.get("hostname") is not None:
        yield from obey(is_dns1123_label, endpoint["hostname"], path / "hostname")
    yield from _hint_errors(endpoint.get("hints") or {}, path / "hints")


def _address_errors(address: str, kind: str, path: Path) -> FieldErrors:
    if kind == "FQDN":
        yield from _host_errors(address, path)
    elif kind in ("IPv4", "IPv6"):
        yield from obey(is_ipv4 if kind == "IPv4" else is_ipv6, address, path)
        yield from special_ip_errors(address, path)


def _host_errors(name: str, path: Path) -> FieldErrors:
    """A full name may end in a dot, and has two labels at least."""
    if not name:
        yield required(path)
        return
    bare = name.removesuffix(".")
    wrong = list(obey(is_dns1123_subdomain, bare, path))
    yield from wrong
    labels = bare.split(".")
    if not wrong and len(labels) < _LEAST_LABELS:
        why = "should be a domain with at least two segments separated by dots"
        yield invalid(path, bare, why)
    for label in labels if not wrong else ():
        yield from obey(is_dns1123_label, label, path)


def _hint_errors(hints: Obj, path: Path) -> FieldErrors:
    for name, rule in (("forZones", is_label_value), ("forNodes", is_dns1123_subdomain)):
        given = hints.get(name) or ()
        if len(given) > _MOST_HINTS:
            yield too_many(path / name, len(given), _MOST_HINTS)
            continue
        seen: set[str] = set()
        for at, hint in enumerate(given):
            where, value = (path / name)[at] / "name", hint.get("name") or ""
            if value in seen:
                yield duplicate(where, value)
            seen.add(value)
            yield from obey(rule, value, where)


def _port_errors(ports: Iterable[Obj], path: Path) -> FieldErrors:
    found = list(ports)
    if len(found) > _MOST_PORTS:
        yield too_many(path, len(found), _MOST_PORTS)
        return
    seen: set[str] = set()
    for at, port in enumerate(found):
        name = port.get("name") or ""
        if name:
            yield from obey(is_dns1123_label, name, path[at] / "name")
        if name in seen:
            yield duplicate(path[at] / "name", name)
        seen.add(name)
        yield from one_of_required(port.get("protocol") or "", _PROTOCOLS, path[at] / "protocol")
        if port.get("appProtocol") is not None:
            yield from obey(is_qualified_name, port["appProtocol"], path[at] / "appProtocol")


def _shown(texts: list[str]) -> str:
    return first_few(texts, _SHOWN) or "<unset>"


def _ports(obj: Obj, now: float) -> str:
    ports = obj.get("ports") or ()
    return _shown(
        [str(one["port"] if one.get("port") is not None else one.get("name", "*")) for one in ports]
    )


def _endpoints(obj: Obj, now: float) -> str:
    endpoints = obj.get("endpoints") or ()
    return _shown([address for one in endpoints for address in one.get("addresses") or ()])


ENDPOINTSLICES = Resource(
    kind=GroupVersionKind("discovery.k8s.io", "v1", "EndpointSlice"),
    plural="endpointslices",
    singular="endpointslice",
    strategy=EndpointSliceStrategy(),
    columns=(
        NAME,
        Column("AddressType", field("addressType")),
        Column("Ports", _ports),
        Column("Endpoints", _endpoints),
        AGE,
    ),
)
