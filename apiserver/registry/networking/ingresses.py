"""Ingresses: which host names and paths lead to which Services."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj, annotations_of
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported, required
from apimachinery.validation.names import (
    is_dns1123_label,
    is_dns1123_subdomain,
    is_ip,
    is_port_name,
    is_port_number,
    is_wildcard_dns1123_subdomain,
    parse_ip,
)
from apiserver.registry.networking.references import local_reference_errors
from apiserver.registry.podspec.checks import name_or_required, obey
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, field, first_few

_SPEC = Path("spec")
_CLASS = "kubernetes.io/ingress.class"
_NOT_A_NAME = "must be a DNS name, not an IP address"
_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_SUFFIXES = ("/..", "/.")
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_MOST_HOSTS = 3
_WIDTH = 16


class IngressStrategy(Strategy):
    """The controller of the class writes where it can be reached into status."""

    has_generation = True

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {"loadBalancer": {}}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        yield from _spec_errors(spec)
        annotation, name = annotations_of(obj).get(_CLASS), spec.get("ingressClassName")
        if annotation is not None and name is not None and annotation != name:
            why = "must match `ingressClassName` when both are specified"
            yield invalid(Path("annotations") / _CLASS, annotation, why)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _spec_errors(new.get("spec") or {})

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        if _CLASS not in annotations_of(obj):
            return []
        return [
            f"annotation \"{_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"
        ]


def _spec_errors(spec: Obj) -> FieldErrors:
    backend, rules = spec.get("defaultBackend"), spec.get("rules") or []
    if not rules and backend is None:
        why = "either `defaultBackend` or `rules` must be specified"
        yield invalid(_SPEC, spec.get("rules") or None, why)
    if backend is not None:
        yield from _backend_errors(backend, _SPEC / "defaultBackend")
    for at, rule in enumerate(rules):
        yield from _rule_errors(rule, (_SPEC / "rules")[at])
    for at, tls in enumerate(spec.get("tls") or ()):
        path = (_SPEC / "tls")[at]
        for index, host in enumerate(tls.get("hosts") or ()):
            yield from _host_errors(host, (path / "hosts")[index])
        if tls.get("secretName"):
            yield from obey(is_dns1123_subdomain, tls["secretName"], path / "secretName")
    name = spec.get("ingressClassName")
    if name is not None:
        yield from obey(is_dns1123_subdomain, name, _SPEC / "ingressClassName")


def _host_errors(host: str, path: Path) -> FieldErrors:
    rule = is_wildcard_dns1123_subdomain if "*" in host else is_dns1123_subdomain
    yield from obey(rule, host, path)


def _rule_errors(rule: Obj, path: Path) -> FieldErrors:
    if host := rule.get("host"):
        if parse_ip(host) is not None:
            yield invalid(path / "host", host, _NOT_A_NAME)
        yield from _host_errors(host, path / "host")
    http = rule.get("http")
    if http is None:
        return
    path = path / "http" / "paths"
    if not http.get("paths"):
        yield required(path)
    for at, one in enumerate(http.get("paths") or ()):
        yield from _path_errors(one, path[at])


def _path_errors(one: Obj, path: Path) -> FieldErrors:
    kind, text = one.get("pathType"), one.get("path") or ""
    if kind is None:
        yield required(path / "pathType", "pathType must be specified")
        return
    if kind not in _PATH_TYPES:
        yield not_supported(path / "pathType", kind, _PATH_TYPES)
    elif not text.startswith("/") and (text or kind != "ImplementationSpecific"):
        yield invalid(path / "path", text, "must be an absolute path")
    if kind in ("Exact", "Prefix"):
        for sequence in _SEQUENCES:
            if sequence in text:
                yield invalid(path / "path", text, f"must not contain '{sequence}'")
        for suffix in _SUFFIXES:
            if text.endswith(suffix):
                yield invalid(path / "path", text, f"cannot end with '{suffix}'")
    yield from _backend_errors(one.get("backend") or {}, path / "backend")


def _backend_errors(backend: Obj, path: Path) -> FieldErrors:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        yield from local_reference_errors(resource, path / "resource")
    elif service is not None:
        name = service.get("name") or ""
        yield from name_or_required(is_dns1123_label, name, path / "service" / "name")
        yield from _port_errors(service.get("port") or {}, path)
    else:
        yield invalid(path, "", "resource or service backend is required")


def _port_errors(port: Obj, path: Path) -> FieldErrors:
    name, number = port.get("name"), port.get("number")
    where = path / "service" / "port"
    if name and number:
        yield invalid(path, "", "cannot set both port name & port number")
    elif name:
        yield from obey(is_port_name, name, where / "name")
    elif number:
        for message in is_port_number(number):
            yield invalid(where / "number", number, message)
    else:
        yield required(path, "port name or number is required")


class IngressStatusStrategy(StatusStrategy):
    """Addresses are addresses, names are names."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        path = Path("status") / "loadBalancer" / "ingress"
        for at, one in enumerate(dig(new, ("status", "loadBalancer", "ingress")) or ()):
            if address := one.get("ip"):
                yield from obey(is_ip, address, path[at] / "ip")
            if name := one.get("hostname"):
                yield from obey(is_dns1123_subdomain, name, path[at] / "hostname")
                if parse_ip(name) is not None:
                    yield invalid(path[at] / "hostname", name, _NOT_A_NAME)


def _hosts(obj: Obj, now: float) -> str:
    hosts = [rule["host"] for rule in dig(obj, ("spec", "rules")) or () if rule.get("host")]
    return first_few(hosts, _MOST_HOSTS) or "*"


def _address(obj: Obj, now: float) -> str:
    found = dig(obj, ("status", "loadBalancer", "ingress")) or ()
    text = ",".join(sorted({one.get("ip") or one.get("hostname") or "" for one in found} - {""}))
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."


def _ports(obj: Obj, now: float) -> str:
    return "80, 443" if dig(obj, ("spec", "tls")) else "80"


_STRATEGY = IngressStrategy()
INGRESSES = Resource(
    kind=GroupVersionKind("networking.k8s.io", "v1", "Ingress"),
    plural="ingresses",
    singular="ingress",
    short=("ing",),
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=IngressStatusStrategy(_STRATEGY))},
    columns=(
        NAME,
        Column("Class", field("spec.ingressClassName", "<none>")),
        Column("Hosts", _hosts),
        Column("Address", _address),
        Column("Ports", _ports),
        AGE,
    ),
)
