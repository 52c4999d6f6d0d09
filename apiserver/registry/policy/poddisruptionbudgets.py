"""PodDisruptionBudgets: how many pods of an application evictions have to leave."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid
from apimachinery.validation.names import is_path_segment
from apiserver.registry.podspec.checks import (
    at_most_all,
    nonnegative_fields,
    number_or_percent_errors,
    one_of,
)
from apiserver.registry.podspec.selectors import selector_errors
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.rules.conditions import condition_errors
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, Value, dig, field

_SPEC, _STATUS = Path("spec"), Path("status")
_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
_POLICIES = ("IfHealthyBudget", "AlwaysAllow")
_SIDES = ("minAvailable", "maxUnavailable")
_CONDITION_STATUSES = ("True", "False", "Unknown")


class PodDisruptionBudgetStrategy(Strategy):
    """One bound, from below or from above."""

    metadata_checks = ()
    qualifies_finalizers = False
    has_generation = True
    allow_unconditional_update = False
    name_rule = staticmethod(is_path_segment)

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = dict.fromkeys(_COUNTS, 0)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        if all(spec.get(side) is not None for side in _SIDES):
            why = "minAvailable and maxUnavailable cannot be both set"
            yield invalid(_SPEC, _go_spec(spec), why)
        for side in _SIDES:
            if spec.get(side) is not None:
                yield from number_or_percent_errors(spec[side], _SPEC / side)
                yield from at_most_all(spec[side], _SPEC / side)
        yield from selector_errors(spec.get("selector"), _SPEC / "selector")
        policy = spec.get("unhealthyPodEvictionPolicy")
        if policy is not None:
            yield from one_of(policy, sorted(_POLICIES), _SPEC / "unhealthyPodEvictionPolicy")


def _go_spec(spec: Obj) -> Obj:
    """Print the spec with the names of Go's fields, as messages show it."""
    return {
        "MinAvailable": spec.get("minAvailable"),
        "Selector": spec.get("selector"),
        "MaxUnavailable": spec.get("maxUnavailable"),
        "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
    }


class PodDisruptionBudgetStatusStrategy(StatusStrategy):
    """The disruption controller counts, and evictions take from the count."""

    allow_unconditional_update = False

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        status = new.get("status") or {}
        yield from condition_errors(status.get("conditions") or (), _STATUS / "conditions")
        yield from nonnegative_fields(status, _COUNTS, _STATUS)


def _bound(side: str) -> Value:
    def read(obj: Obj, now: float) -> str:
        found = dig(obj, ("spec", side))
        return "N/A" if found is None else str(found)

    return read


_STRATEGY = PodDisruptionBudgetStrategy()
PODDISRUPTIONBUDGETS = Resource(
    kind=GroupVersionKind("policy", "v1", "PodDisruptionBudget"),
    plural="poddisruptionbudgets",
    singular="poddisruptionbudget",
    short=("pdb",),
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=PodDisruptionBudgetStatusStrategy(_STRATEGY))},
    columns=(
        NAME,
        Column("Min Available", _bound("minAvailable")),
        Column("Max Unavailable", _bound("maxUnavailable")),
        Column("Allowed Disruptions", field("status.disruptionsAllowed", 0), type="integer"),
        AGE,
    ),
)
