"""NetworkPolicies: who may talk to the pods that they select, and with whom these may talk."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.addresses import cidr_warnings
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_supported,
    required,
)
from apimachinery.validation.names import is_cidr, is_port_name, is_port_number, parse_cidr
from apiserver.registry.podspec.checks import obey, one_of
from apiserver.registry.podspec.selectors import selector_errors
from apiserver.registry.podspec.workload import format_selector
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig

_SPEC = Path("spec")
_TYPES = ("Ingress", "Egress")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
# (direction, the field with its peers)
_RULES = (("ingress", "from"), ("egress", "to"))


class NetworkPolicyStrategy(Strategy):
    """A policy without policyTypes is about ingress, and about egress where it has such rules."""

    has_generation = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
        for direction, _ in _RULES:
            for rule in spec.get(direction) or ():
                for port in rule.get("ports") or ():
                    port.setdefault("protocol", "TCP")

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        yield from selector_errors(spec.get("podSelector"), _SPEC / "podSelector")
        for direction, peers in _RULES:
            for at, rule in enumerate(spec.get(direction) or ()):
                path = (_SPEC / direction)[at]
                for index, port in enumerate(rule.get("ports") or ()):
                    yield from _port_errors(port, (path / "ports")[index])
                for index, peer in enumerate(rule.get(peers) or ()):
                    yield from _peer_errors(peer, (path / peers)[index])
        types, path = spec.get("policyTypes") or [], _SPEC / "policyTypes"
        if len(types) > len(_TYPES):
            yield invalid(path, types, "may not specify more than two policyTypes")
            return
        for at, kind in enumerate(types):
            yield from one_of(kind, _TYPES, path[at])

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        found: list[str] = []
        for direction, peers in _RULES:
            for at, rule in enumerate((obj.get("spec") or {}).get(direction) or ()):
                for index, peer in enumerate(rule.get(peers) or ()):
                    path = ((_SPEC / direction)[at] / peers)[index] / "ipBlock"
                    found += _block_warnings(peer.get("ipBlock") or {}, path)
        return found

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return self.warnings_on_create(new, ctx)


def _block_warnings(block: Obj, path: Path) -> Iterator[str]:
    yield from cidr_warnings(block.get("cidr") or "", path / "cidr")
    for at, hole in enumerate(block.get("except") or ()):
        yield from cidr_warnings(hole, (path / "except")[at])


def _port_errors(port: Obj, path: Path) -> FieldErrors:
    protocol, number, end = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None and protocol not in _PROTOCOLS:
        yield not_supported(path / "protocol", protocol, _PROTOCOLS)
    if number is None:
        if end is not None:
            yield invalid(
                path / "endPort", end, "may not be specified when `port` is not specified"
            )
    elif isinstance(number, str):
        if end is not None:
            yield invalid(path / "endPort", end, "may not be specified when `port` is non-numeric")
        yield from obey(is_port_name, number, path / "port")
    else:
        yield from _number_errors(number, end, path)


def _number_errors(number: int, end: int | None, path: Path) -> FieldErrors:
    for message in is_port_number(number):
        yield invalid(path / "port", number, message)
    if end is None:
        return
    if end < number:
        yield invalid(path / "endPort", end, "must be greater than or equal to `port`")
    for message in is_port_number(end):
        yield invalid(path / "endPort", end, message)


def _peer_errors(peer: Obj, path: Path) -> FieldErrors:
    given = [name for name in ("podSelector", "namespaceSelector", "ipBlock") if _has(peer, name)]
    for name in given:
        if name == "ipBlock":
            yield from _block_errors(peer[name], path / name)
        else:
            yield from selector_errors(peer[name], path / name)
    if not given:
        yield required(path, "must specify a peer")
    elif len(given) > 1 and "ipBlock" in given:
        yield forbidden(path, "may not specify both ipBlock and another peer")


def _has(peer: Obj, name: str) -> bool:
    return peer.get(name) is not None


def _block_errors(block: Obj, path: Path) -> FieldErrors:
    cidr = block.get("cidr") or ""
    if not cidr:
        yield required(path / "cidr")
        return
    yield from obey(is_cidr, cidr, path / "cidr")
    network = parse_cidr(cidr)
    if network is None:
        return
    for at, text in enumerate(block.get("except") or ()):
        where = (path / "except")[at]
        yield from obey(is_cidr, text, where)
        hole = parse_cidr(text)
        if hole is None:
            continue
        inside = hole.version == network.version and hole.network_address in network
        if not inside or network.prefixlen >= hole.prefixlen:
            yield invalid(where, text, "must be a strict subset of `cidr`")


def _selector(obj: Obj, now: float) -> str:
    return format_selector(dig(obj, ("spec", "podSelector")))


NETWORKPOLICIES = Resource(
    kind=GroupVersionKind("networking.k8s.io", "v1", "NetworkPolicy"),
    plural="networkpolicies",
    singular="networkpolicy",
    short=("netpol",),
    strategy=NetworkPolicyStrategy(),
    columns=(NAME, Column("Pod-Selector", _selector), AGE),
)
