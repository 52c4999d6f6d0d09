"""PodGroups: pods that are scheduled together, all that are needed or none."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, required
from apimachinery.validation.names import is_dns1123_label, is_dns1123_subdomain
from apiserver.registry.podspec.checks import immutable, name_or_required
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Resource, Subresource
from apiserver.registry.rules.claimstatuses import made_claim_errors
from apiserver.registry.rules.conditions import condition_errors
from apiserver.registry.scheduling.groups import drop_disabled, group_errors, set_defaults
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext

_SPEC = Path("spec")
_TEMPLATE = _SPEC / "podGroupTemplateRef"
_FOR_GOOD = (
    *("podGroupTemplateRef", "schedulingPolicy", "schedulingConstraints", "resourceClaims"),
    *("disruptionMode", "priorityClassName", "priority"),
)


class PodGroupStrategy(Strategy):
    """Who makes it says how it is scheduled, for good; the scheduler says what came of it."""

    name_rule = staticmethod(is_dns1123_subdomain)
    has_generation = True

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj.pop("status", None)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def default(self, obj: Obj) -> None:
        set_defaults(obj.setdefault("spec", {}))

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        drop_disabled(obj.get("spec") or {}, (old or {}).get("spec"))

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        yield from group_errors(spec, _SPEC)
        reference = spec.get("podGroupTemplateRef")
        if reference is None:
            return
        workload, path = reference.get("workload"), _TEMPLATE / "workload"
        if workload is None:
            yield required(path)
            return
        name, template = workload.get("workloadName"), workload.get("podGroupTemplateName")
        yield from name_or_required(is_dns1123_subdomain, name or "", path / "workloadName")
        where = path / "podGroupTemplateName"
        yield from name_or_required(is_dns1123_label, template or "", where)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        after, before = new.get("spec") or {}, old.get("spec") or {}
        for field in _FOR_GOOD:
            yield from immutable(after.get(field), before.get(field), _SPEC / field)


class PodGroupStatusStrategy(StatusStrategy):
    """The scheduler tells whether the group has its nodes, a controller which claims it has."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        status, path = new.get("status") or {}, Path("status")
        yield from condition_errors(status.get("conditions") or (), path / "conditions")
        claims, spec = status.get("resourceClaimStatuses") or (), new.get("spec") or {}
        yield from made_claim_errors(claims, spec, path / "resourceClaimStatuses")


_STRATEGY = PodGroupStrategy()

PODGROUPS = Resource(
    kind=GroupVersionKind("scheduling.k8s.io", "v1alpha2", "PodGroup"),
    plural="podgroups",
    singular="podgroup",
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=PodGroupStatusStrategy(_STRATEGY))},
)
