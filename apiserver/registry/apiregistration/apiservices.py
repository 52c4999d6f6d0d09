"""APIServices: who serves a group's version, this server or a Service of the cluster."""

from __future__ import annotations

import base64

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required, show
from apimachinery.validation.names import (
    is_dns1035_label,
    is_dns1123_subdomain,
    is_path_segment,
    is_port_number,
)
from apiserver.registry.podspec.checks import obey, one_of
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import MetadataCheck, StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig

_SPEC = Path("spec")
_STATUSES = ("True", "False", "Unknown")
# (field, the highest value)
_PRIORITIES = (("groupPriorityMinimum", 20_000), ("versionPriority", 1000))


class APIServiceStrategy(Strategy):
    """The name is that of the version and its group; local versions are always available."""

    qualifies_finalizers = False
    allow_unconditional_update = False
    metadata_checks = (MetadataCheck.CHANGES, MetadataCheck.WHOLE)
    name_rule = staticmethod(is_path_segment)

    def default(self, obj: Obj) -> None:
        service = dig(obj, ("spec", "service"))
        if service is not None and service.get("port") is None:
            service["port"] = 443

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {}
        if dig(obj, ("spec", "service")) is None:
            condition = {
                "type": "Available",
                "status": "True",
                "lastTransitionTime": ctx.clock.timestamp(),
                "reason": "Local",
                "message": "Local APIServices are always available",
            }
            obj["status"] = {"conditions": [condition]}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec, name = obj.get("spec") or {}, obj["metadata"].get("name") or ""
        group, version = spec.get("group") or "", spec.get("version") or ""
        expected = f"{version}.{group}"
        if name and name != expected and not is_path_segment(name):
            why = f'must be `spec.version+"."+spec.group`: {show(expected)}'
            yield invalid(Path("metadata") / "name", name, why)
        if not group and version != "v1":
            why = "only v1 may have an empty group and it better be legacy kube"
            yield required(_SPEC / "group", why)
        if group:
            yield from obey(is_dns1123_subdomain, group, _SPEC / "group")
        yield from obey(is_dns1035_label, version, _SPEC / "version")
        for field, highest in _PRIORITIES:
            value = spec.get(field) or 0
            if not 0 < value <= highest:
                yield invalid(_SPEC / field, value, f"must be positive and less than {highest}")
        yield from _server_errors(spec)


def _server_errors(spec: Obj) -> FieldErrors:
    service, bundle = spec.get("service"), spec.get("caBundle") or ""
    trusting, path = bool(spec.get("insecureSkipTLSVerify")), _SPEC / "insecureSkipTLSVerify"
    if service is None:
        if bundle:
            shown = f"{len(base64.b64decode(bundle))} bytes"
            why = "local APIServices may not have a caBundle"
            yield invalid(_SPEC / "caBundle", shown, why)
        if trusting:
            yield invalid(path, True, "local APIServices may not have insecureSkipTLSVerify")
        return
    for name in ("namespace", "name"):
        if not service.get(name):
            yield required(_SPEC / "service" / name)
    port = service.get("port")
    if port is not None and (wrong := is_port_number(port)):
        yield invalid(_SPEC / "service" / "port", port, "port is not valid: " + ", ".join(wrong))
    if trusting and bundle:
        yield invalid(path, True, "may not be true if caBundle is present")


class APIServiceStatusStrategy(StatusStrategy):
    """Conditions hold, or do not, or nobody knows."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        path = Path("status") / "conditions"
        for at, condition in enumerate(dig(new, ("status", "conditions")) or ()):
            yield from one_of(condition.get("status") or "", _STATUSES, path[at] / "status")


def _service(obj: Obj, now: float) -> str:
    service = dig(obj, ("spec", "service"))
    if service is None:
        return "Local"
    return f"{service.get('namespace') or ''}/{service.get('name') or ''}"


def _available(obj: Obj, now: float) -> str:
    for condition in dig(obj, ("status", "conditions")) or ():
        if condition.get("type") == "Available":
            status = str(condition.get("status") or "")
            return status if status == "True" else f"{status} ({condition.get('reason') or ''})"
    return "Unknown"


_STRATEGY = APIServiceStrategy()
APISERVICES = Resource(
    kind=GroupVersionKind("apiregistration.k8s.io", "v1", "APIService"),
    plural="apiservices",
    singular="apiservice",
    namespaced=False,
    categories=("api-extensions",),
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=APIServiceStatusStrategy(_STRATEGY))},
    columns=(NAME, Column("Service", _service), Column("Available", _available), AGE),
)
