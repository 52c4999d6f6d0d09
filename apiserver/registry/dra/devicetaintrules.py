"""DeviceTaintRules: what an operator holds against devices, beside what their drivers say."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, too_many
from apimachinery.validation.names import is_dns1123_label
from apiserver.registry.dra.lists import pool_name_errors
from apiserver.registry.dra.taints import stamp, taint_errors
from apiserver.registry.podspec.checks import obey
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Resource, Subresource
from apiserver.registry.rules.conditions import condition_errors
from apiserver.registry.storage.parameters import driver_name_errors
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME

_SPEC = Path("spec")
_CONDITIONS = Path("status") / "conditions"
_MOST_CONDITIONS = 8


class DeviceTaintRuleStrategy(Strategy):
    """One taint for all devices that are selected; the controller says what comes of it."""

    has_generation = True

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj.pop("status", None)
        _stamp(obj, ctx)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)
        _stamp(new, ctx)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        selector, path = spec.get("deviceSelector") or {}, _SPEC / "deviceSelector"
        if selector.get("driver") is not None:
            yield from driver_name_errors(selector["driver"], path / "driver")
        if selector.get("pool") is not None:
            yield from pool_name_errors(selector["pool"], path / "pool")
        if selector.get("device") is not None:
            yield from obey(is_dns1123_label, selector["device"], path / "device")
        yield from taint_errors(spec.get("taint") or {}, _SPEC / "taint")

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)


def _stamp(rule: Obj, ctx: StrategyContext) -> None:
    if taint := (rule.get("spec") or {}).get("taint"):
        stamp(taint, ctx)


class DeviceTaintRuleStatusStrategy(StatusStrategy):
    """The controller tells whether pods still have to leave."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        conditions = (new.get("status") or {}).get("conditions") or ()
        if len(conditions) > _MOST_CONDITIONS:
            yield too_many(_CONDITIONS, len(conditions), _MOST_CONDITIONS)
        yield from condition_errors(conditions, _CONDITIONS)


_STRATEGY = DeviceTaintRuleStrategy()

DEVICETAINTRULES = Resource(
    kind=GroupVersionKind("resource.k8s.io", "v1beta2", "DeviceTaintRule"),
    plural="devicetaintrules",
    singular="devicetaintrule",
    namespaced=False,
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=DeviceTaintRuleStatusStrategy(_STRATEGY))},
    columns=(NAME, AGE),
)
