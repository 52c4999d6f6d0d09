"""Deployments: a template, how many pods of it, and how to get from one template to the next."""

from __future__ import annotations

from apimachinery.gvk import APPS_V1, GroupVersionKind
from apimachinery.meta import Obj, annotations_of
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_supported,
    required,
)
from apiserver.registry.apps.replicas import (
    WorkloadStrategy,
    not_more,
    selected_template_errors,
    workload_selector_errors,
)
from apiserver.registry.apps.rollout import cannot_move, go_strategy, is_zero, rollout_errors
from apiserver.registry.podspec.checks import (
    decremented,
    nonnegative,
    nonnegative_fields,
)
from apiserver.registry.podspec.defaults import default_template
from apiserver.registry.podspec.workload import SELECTOR, containers, keep_status, number
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, StrategyContext, put_back
from apiserver.registry.table import AGE, NAME

_SPEC = Path("spec")
_COUNTS = (
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
)


class DeploymentStrategy(WorkloadStrategy):
    """The selector never changes: it says which ReplicaSets are the Deployment's own."""

    has_generation = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("replicas") is None:
            spec["replicas"] = 1
        strategy = spec.get("strategy") or {}
        if not strategy.get("type"):
            strategy["type"] = "RollingUpdate"
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.get("rollingUpdate") or {}
            for name in ("maxUnavailable", "maxSurge"):
                if rolling.get(name) is None:
                    rolling[name] = "25%"
            strategy["rollingUpdate"] = rolling
        spec["strategy"] = strategy
        if spec.get("revisionHistoryLimit") is None:
            spec["revisionHistoryLimit"] = 10
        if spec.get("progressDeadlineSeconds") is None:
            spec["progressDeadlineSeconds"] = 600
        default_template(spec.setdefault("template", {}))

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def spec_changed(self, new: Obj, old: Obj) -> bool:
        """A change of annotations counts too: `kubectl rollout` acts through them."""
        return super().spec_changed(new, old) or annotations_of(new) != annotations_of(old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj["spec"]
        yield from nonnegative(spec.get("replicas"), _SPEC / "replicas")
        yield from workload_selector_errors(spec, _SPEC, "deployment")
        yield from selected_template_errors(
            spec, _SPEC, "ReplicaSet", words="invalid label selector"
        )
        yield from _strategy_errors(spec["strategy"], _SPEC / "strategy")
        yield from nonnegative(spec.get("minReadySeconds"), _SPEC / "minReadySeconds")
        yield from nonnegative(spec.get("revisionHistoryLimit"), _SPEC / "revisionHistoryLimit")
        yield from _deadline_errors(spec)


def _deadline_errors(spec: Obj) -> FieldErrors:
    deadline, path = spec.get("progressDeadlineSeconds"), _SPEC / "progressDeadlineSeconds"
    if deadline is None:
        return
    yield from nonnegative(deadline, path)
    if deadline <= (spec.get("minReadySeconds") or 0):
        yield invalid(path, deadline, "must be greater than minReadySeconds")


def _strategy_errors(strategy: Obj, path: Path) -> FieldErrors:
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] == "Recreate":
        if rolling is not None:
            yield forbidden(
                path / "rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"
            )
    elif strategy["type"] == "RollingUpdate":
        if rolling is None:
            yield required(
                path / "rollingUpdate",
                "this should be defaulted and never be nil",
            )
        else:
            yield from rollout_errors(rolling, path / "rollingUpdate")
            if is_zero(rolling["maxUnavailable"]) and is_zero(rolling["maxSurge"]):
                yield cannot_move(rolling, path / "rollingUpdate")
    else:
        yield not_supported(path, go_strategy(strategy), ("Recreate", "RollingUpdate"))


class DeploymentStatusStrategy(StatusStrategy):
    """Counts cannot be negative, no part is more than the whole, and collisions only grow.

    Annotations may change with the status: so the controller notes the revision without a new
    generation.
    """

    also_reset = (("metadata", "labels"),)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        super().prepare_for_update(new, old, ctx)
        put_back(new["metadata"], old["metadata"], ("labels",))

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        status, before = new.get("status") or {}, old.get("status") or {}
        path = Path("status")
        yield from nonnegative_fields(status, _COUNTS, path)
        whole = status.get("replicas") or 0
        for name in ("updatedReplicas", "readyReplicas", "availableReplicas"):
            yield from not_more(status, (name,), whole, "status.replicas", path)
        ready = status.get("readyReplicas") or 0
        yield from not_more(status, ("availableReplicas",), ready, "readyReplicas", path)
        if decremented(status.get("collisionCount"), before.get("collisionCount")):
            yield invalid(
                path / "collisionCount", status.get("collisionCount") or 0, "cannot be decremented"
            )


def _ready(obj: Obj, now: float) -> str:
    ready = (obj.get("status") or {}).get("readyReplicas") or 0
    return f"{ready}/{obj['spec'].get('replicas') or 0}"


_STRATEGY = DeploymentStrategy()
DEPLOYMENTS = Resource(
    kind=APPS_V1.kind("Deployment"),
    plural="deployments",
    short=("deploy",),
    categories=("all",),
    strategy=_STRATEGY,
    subresources={
        "scale": Subresource(kind=GroupVersionKind("autoscaling", "v1", "Scale")),
        "status": Subresource(strategy=DeploymentStatusStrategy(_STRATEGY)),
    },
    columns=(
        NAME,
        Column("Ready", _ready),
        Column("Up-to-date", number("status.updatedReplicas")),
        Column("Available", number("status.availableReplicas")),
        AGE,
        *containers(),
        SELECTOR,
    ),
)
