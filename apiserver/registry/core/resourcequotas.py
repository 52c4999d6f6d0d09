"""ResourceQuotas: sums that a namespace may not exceed; admission counts, status shows."""

from __future__ import annotations

from apimachinery.gvk import CORE_V1
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apiserver.registry.podspec.checks import IMMUTABLE
from apiserver.registry.podspec.quantities import (
    is_standard_quota_resource,
    quantity_value_errors,
    resource_name_errors,
)
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig

_SCOPES = (
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
)
# Quotas on compute alone may have these; scopes of the other pair exclude each other.
_EXCLUSIVE = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_COMPUTE = {
    "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory",
}  # fmt: skip
_EXISTS_ONLY = (
    "BestEffort",
    "NotBestEffort",
    "Terminating",
    "NotTerminating",
    "CrossNamespacePodAffinity",
)
_ONLY_EXISTS = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
    "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
    "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


class ResourceQuotaStrategy(Strategy):
    """spec.hard may change, the scopes may not."""

    returns_deleted = True

    def default(self, obj: Obj) -> None:
        obj.setdefault("spec", {})
        obj.setdefault("status", {})

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        path = Path("spec")
        yield from _amount_errors(spec.get("hard") or {}, path / "hard")
        yield from _scope_errors(spec, path)
        yield from _selector_errors(spec, path)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        after, before = (new.get("spec") or {}).get("scopes"), (old.get("spec") or {}).get("scopes")
        if set(after or ()) != set(before or ()):
            yield invalid(Path("spec") / "scopes", after, IMMUTABLE)


def _amount_errors(amounts: dict[str, str], path: Path) -> FieldErrors:
    for name, amount in amounts.items():
        yield from _resource_errors(name, path.key(name))
        yield from quantity_value_errors(name, amount, path.key(name))


def _resource_errors(name: str, path: Path) -> FieldErrors:
    yield from resource_name_errors(name, path)
    if "/" not in name and not is_standard_quota_resource(name):
        yield invalid(path, name, "must be a standard resource for quota")


def _scope_errors(spec: Obj, path: Path) -> FieldErrors:
    scopes = spec.get("scopes") or []
    if not scopes:
        return
    hard = _judged(spec)
    found: set[str] = set()
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid(path / "scopes", scopes, "unsupported scope")
        for name in hard:
            if not _scope_allows(scope, name):
                yield invalid(path / "scopes", scopes, "unsupported scope applied to resource")
        found.add(scope)
    for pair in _EXCLUSIVE:
        if pair <= found:
            yield invalid(path / "scopes", scopes, "conflicting scopes")


def _judged(spec: Obj) -> list[str]:
    """Return the resources that a scope has to suit; other people's are not judged."""
    return sorted(filter(is_standard_quota_resource, spec.get("hard") or ()))


def _scope_allows(scope: str, name: str) -> bool:
    """Tell whether a scope says anything about a resource."""
    if scope == "BestEffort":
        return name == "pods"
    if scope == "VolumeAttributesClass":
        return name in ("persistentvolumeclaims", "requests.storage")
    if scope in _SCOPES:
        return name == "pods" or name in _COMPUTE
    return True


def _selector_errors(spec: Obj, path: Path) -> FieldErrors:
    selector = spec.get("scopeSelector")
    if selector is None:
        return
    path = path / "scopeSelector" / "matchExpressions"
    hard = _judged(spec)
    seen: set[str] = set()
    for requirement in selector.get("matchExpressions") or ():
        scope = requirement.get("scopeName") or ""
        if scope not in _SCOPES:
            yield invalid(path / "scopeName", scope, "unsupported scope")
        for name in hard:
            if not _scope_allows(scope, name):
                yield invalid(
                    path,
                    {"MatchExpressions": _go_requirements(selector)},
                    "unsupported scope applied to resource",
                )
        yield from _operator_errors(requirement, path)
        seen.add(scope)
    for pair in _EXCLUSIVE:
        if pair <= seen:
            yield invalid(path, spec.get("scopes"), "conflicting scopes")


def _operator_errors(requirement: Obj, path: Path) -> FieldErrors:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if requirement.get("scopeName") in _EXISTS_ONLY and operator != "Exists":
        yield invalid(path / "operator", operator, _ONLY_EXISTS)
    if operator in ("In", "NotIn"):
        if not values:
            yield required(
                path / "values",
                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
            )
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield invalid(
                path / "values",
                values,
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
            )
    else:
        yield invalid(path / "operator", operator, "not a valid selector operator")


def _go_requirements(selector: Obj) -> list[Obj]:
    """Print requirements with the names of Go's fields, as messages show them."""
    return [
        {
            "ScopeName": one.get("scopeName") or "",
            "Operator": one.get("operator") or "",
            "Values": one.get("values"),
        }
        for one in selector.get("matchExpressions") or ()
    ]


class ResourceQuotaStatusStrategy(StatusStrategy):
    """The quota controller writes what is hard and what is used."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        status = new.get("status") or {}
        for part in ("hard", "used"):
            yield from _amount_errors(status.get(part) or {}, Path("status") / part)


def _usage(*, limits: bool) -> Column:
    hard, used = ("status", "hard"), ("status", "used")

    def read(obj: Obj, now: float) -> str:
        bounds, counts = dig(obj, hard) or {}, dig(obj, used) or {}
        return ", ".join(
            f"{name}: {counts.get(name, '0')}/{bounds[name]}"
            for name in sorted(bounds)
            if name.startswith("limits.") is limits
        )

    return Column("Limit" if limits else "Request", read)


_STRATEGY = ResourceQuotaStrategy()
RESOURCEQUOTAS = Resource(
    kind=CORE_V1.kind("ResourceQuota"),
    plural="resourcequotas",
    short=("quota",),
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=ResourceQuotaStatusStrategy(_STRATEGY))},
    columns=(NAME, _usage(limits=False), _usage(limits=True), AGE),
)
