"""DaemonSets: one pod of a template on every node that it may run on."""

from __future__ import annotations

from apimachinery.gvk import APPS_V1
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported, required
from apiserver.registry.apps.replicas import (
    WorkloadStrategy,
    empty_selector_errors,
    mismatch,
    reads_selector,
)
from apiserver.registry.apps.rollout import go_strategy, is_zero
from apiserver.registry.podspec.checks import (
    at_most_all,
    decremented,
    nonnegative,
    nonnegative_fields,
    number_or_percent_errors,
)
from apiserver.registry.podspec.defaults import default_template
from apiserver.registry.podspec.selectors import selector_errors
from apiserver.registry.podspec.template import replicated_template_errors
from apiserver.registry.podspec.workload import (
    SELECTOR,
    containers,
    format_labels,
    keep_status,
    number,
)
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import MetadataCheck, StatusStrategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig

_SPEC = Path("spec")
GENERATION = "deprecated.daemonset.template.generation"
_COUNTS = (
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
)


class DaemonSetStrategy(WorkloadStrategy):
    """An annotation counts the changes of the template, for clients of an older version."""

    metadata_checks = (MetadataCheck.WHOLE, MetadataCheck.CHANGES)
    has_generation = True
    checked_twice = True
    warns_of_name = False

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        strategy = spec.get("updateStrategy") or {}
        if not strategy.get("type"):
            strategy["type"] = "RollingUpdate"
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.get("rollingUpdate") or {}
            if rolling.get("maxUnavailable") is None:
                rolling["maxUnavailable"] = 1
            if rolling.get("maxSurge") is None:
                rolling["maxSurge"] = 0
            strategy["rollingUpdate"] = rolling
        spec["updateStrategy"] = strategy
        if spec.get("revisionHistoryLimit") is None:
            spec["revisionHistoryLimit"] = 10
        default_template(spec.setdefault("template", {}))

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {
            "currentNumberScheduled": 0,
            "numberMisscheduled": 0,
            "desiredNumberScheduled": 0,
            "numberReady": 0,
        }
        _count(obj, max(_generation(obj), 1))

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)
        changed = new["spec"].get("template") != old["spec"].get("template")
        _count(new, _generation(old) + changed)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj["spec"]
        selector = spec.get("selector")
        yield from selector_errors(selector, _SPEC / "selector")
        if reads_selector(spec) is False:
            yield mismatch(spec, _SPEC)
        if selector is not None:
            yield from empty_selector_errors(selector, _SPEC, "daemonset")
        yield from replicated_template_errors(spec["template"], "DaemonSet", _SPEC / "template")
        yield from nonnegative(spec.get("minReadySeconds"), _SPEC / "minReadySeconds")
        yield from _strategy_errors(spec["updateStrategy"], _SPEC / "updateStrategy")
        yield from nonnegative(spec.get("revisionHistoryLimit"), _SPEC / "revisionHistoryLimit")


def _generation(obj: Obj) -> int:
    try:
        return int((obj["metadata"].get("annotations") or {}).get(GENERATION) or 0)
    except ValueError:
        return 0


def _count(obj: Obj, generation: int) -> None:
    annotations = obj["metadata"].get("annotations") or {}
    obj["metadata"]["annotations"] = annotations | {GENERATION: str(generation)}


def _strategy_errors(strategy: Obj, path: Path) -> FieldErrors:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "RollingUpdate":
        if rolling is None:
            yield required(path / "rollingUpdate")
        else:
            yield from _rolling_errors(rolling, path / "rollingUpdate")
    elif kind != "OnDelete":
        yield not_supported(path, go_strategy(strategy), ("RollingUpdate", "OnDelete"))


def _rolling_errors(rolling: Obj, path: Path) -> FieldErrors:
    for name in ("maxUnavailable", "maxSurge"):
        yield from number_or_percent_errors(rolling.get(name), path / name)
        yield from at_most_all(rolling.get(name), path / name)
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    if not is_zero(surge) and not is_zero(unavailable):
        yield invalid(path / "maxSurge", surge, "may not be set when maxUnavailable is non-zero")
    if is_zero(surge) and is_zero(unavailable):
        yield required(path / "maxUnavailable", "cannot be 0 when maxSurge is 0")


class DaemonSetStatusStrategy(StatusStrategy):
    """Counts cannot be negative, and collisions only grow."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        status, before = new.get("status") or {}, old.get("status") or {}
        path = Path("status")
        yield from nonnegative_fields(status, _COUNTS, path)
        if decremented(status.get("collisionCount"), before.get("collisionCount")):
            yield invalid(
                path / "collisionCount", status.get("collisionCount") or 0, "cannot be decremented"
            )


def _node_selector(obj: Obj, now: float) -> str:
    return format_labels(dig(obj, ("spec", "template", "spec", "nodeSelector")))


_STRATEGY = DaemonSetStrategy()
DAEMONSETS = Resource(
    kind=APPS_V1.kind("DaemonSet"),
    plural="daemonsets",
    short=("ds",),
    categories=("all",),
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=DaemonSetStatusStrategy(_STRATEGY))},
    columns=(
        NAME,
        Column("Desired", number("status.desiredNumberScheduled"), type="integer"),
        Column("Current", number("status.currentNumberScheduled"), type="integer"),
        Column("Ready", number("status.numberReady"), type="integer"),
        Column("Up-to-date", number("status.updatedNumberScheduled"), type="integer"),
        Column("Available", number("status.numberAvailable"), type="integer"),
        Column("Node Selector", _node_selector),
        AGE,
        *containers(),
        SELECTOR,
    ),
)
