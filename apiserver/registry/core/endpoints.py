"""Endpoints: the older form of EndpointSlices, addresses behind a Service in one object."""

from __future__ import annotations

from apimachinery.gvk import CORE_V1
from apimachinery.meta import Obj, labels_of
from apimachinery.validation.addresses import ip_warnings
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apimachinery.validation.names import (
    is_dns1123_label,
    is_dns1123_subdomain,
    is_ip,
    is_port_number,
    is_qualified_name,
    parse_ip,
)
from apiserver.registry.podspec.checks import obey, one_of_required
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME

PROTOCOLS = ("SCTP", "TCP", "UDP")
# The controller writes addresses as they should be.
_MANAGED_BY, _CONTROLLER = "endpoints.kubernetes.io/managed-by", "endpoint-controller"
_SHOWN = 3  # more addresses than that are counted, not printed


class EndpointsStrategy(Strategy):
    """Anybody may write them by hand, so addresses are checked."""

    allow_create_on_update = True

    def default(self, obj: Obj) -> None:
        for subset in obj.get("subsets") or ():
            for port in subset.get("ports") or ():
                if not port.get("protocol"):
                    port["protocol"] = "TCP"

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        for at, subset in enumerate(obj.get("subsets") or ()):
            yield from _subset_errors(subset, Path("subsets")[at])

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        # Old objects may break newer rules; only a change of the subsets is checked again.
        if new.get("subsets") != old.get("subsets"):
            yield from self.validate(new, ctx)

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        if labels_of(obj).get(_MANAGED_BY) == _CONTROLLER:
            return []
        return [
            text
            for at, subset in enumerate(obj.get("subsets") or ())
            for key in ("addresses", "notReadyAddresses")
            for index, address in enumerate(subset.get(key) or ())
            for text in ip_warnings(
                address.get("ip") or "", (Path("subsets")[at] / key)[index] / "ip"
            )
        ]

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return self.warnings_on_create(new, ctx)


def _subset_errors(subset: Obj, path: Path) -> FieldErrors:
    if not subset.get("addresses") and not subset.get("notReadyAddresses"):
        yield required(path, "must specify `addresses` or `notReadyAddresses`")
    for key in ("addresses", "notReadyAddresses"):
        for at, address in enumerate(subset.get(key) or ()):
            yield from _address_errors(address, (path / key)[at])
    ports = subset.get("ports") or ()
    for at, port in enumerate(ports):
        yield from _port_errors(port, (path / "ports")[at], needs_name=len(ports) > 1)


def _address_errors(address: Obj, path: Path) -> FieldErrors:
    yield from obey(is_ip, address.get("ip") or "", path / "ip")
    if address.get("hostname"):
        yield from obey(is_dns1123_label, address["hostname"], path / "hostname")
    if address.get("nodeName"):
        yield from obey(is_dns1123_subdomain, address["nodeName"], path / "nodeName")
    yield from special_ip_errors(address.get("ip") or "", path / "ip")


def special_ip_errors(text: str, path: Path) -> FieldErrors:
    """Yield that an address cannot be anybody's: loopback, link-local, multicast, unset."""
    address = parse_ip(text)
    if address is None:
        return
    if address.is_unspecified:
        yield invalid(path, text, f"may not be unspecified ({text})")
    if address.is_loopback:
        yield invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_link_local:
        yield invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if address.is_multicast:
        last = int(address) & 0xFFFFFFFF
        # Only multicast that never leaves the link is refused: 224.0.0.0/24 and ff02::/10.
        if address.version == 6 or 0xE0000000 <= last <= 0xE00000FF:
            yield invalid(
                path,
                text,
                "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
            )


def _port_errors(port: Obj, path: Path, *, needs_name: bool) -> FieldErrors:
    if needs_name and not port.get("name"):
        yield required(path / "name")
    elif port.get("name"):
        yield from obey(is_dns1123_label, port["name"], path / "name")
    for message in is_port_number(port.get("port") or 0):
        yield invalid(path / "port", port.get("port") or 0, message)
    yield from one_of_required(port.get("protocol"), PROTOCOLS, path / "protocol")
    if port.get("appProtocol") is not None:
        yield from obey(is_qualified_name, port["appProtocol"], path / "appProtocol")


def _format(obj: Obj, now: float) -> str:
    if not obj.get("subsets"):
        return "<none>"
    shown: list[str] = []
    total = 0
    for subset in obj.get("subsets") or ():
        addresses = subset.get("addresses") or ()
        ports = subset.get("ports") or ()
        if not ports:
            total += len(addresses)
            shown += [address["ip"] for address in addresses[: _SHOWN - len(shown)]]
            continue
        for port in ports:
            total += len(addresses)
            shown += [
                _join(address["ip"], port["port"]) for address in addresses[: _SHOWN - len(shown)]
            ]
    text = ",".join(shown)
    return f"{text} + {total - _SHOWN} more..." if total > _SHOWN else text


def _join(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


ENDPOINTS = Resource(
    kind=CORE_V1.kind("Endpoints"),
    plural="endpoints",
    short=("ep",),
    strategy=EndpointsStrategy(),
    columns=(NAME, Column("Endpoints", _format), AGE),
)
