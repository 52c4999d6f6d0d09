"""ReplicaSets: as many pods of one template as are asked for."""

from __future__ import annotations

from apimachinery.gvk import APPS_V1, GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path
from apiserver.registry.apps.replicas import (
    WorkloadStrategy,
    replica_status_errors,
    selected_template_errors,
    workload_selector_errors,
)
from apiserver.registry.podspec.checks import nonnegative
from apiserver.registry.podspec.defaults import default_template
from apiserver.registry.podspec.workload import SELECTOR, containers, keep_status, number
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import MetadataCheck, StatusStrategy, StrategyContext
from apiserver.registry.table import AGE, NAME

_SPEC = Path("spec")


class ReplicaSetStrategy(WorkloadStrategy):
    """The selector never changes: the pods of the old one would be nobody's."""

    metadata_checks = (MetadataCheck.WHOLE, MetadataCheck.CHANGES)
    has_generation = True
    checked_twice = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("replicas") is None:
            spec["replicas"] = 1
        default_template(spec.setdefault("template", {}))

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {"replicas": 0}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj["spec"]
        yield from nonnegative(spec.get("replicas"), _SPEC / "replicas")
        yield from nonnegative(spec.get("minReadySeconds"), _SPEC / "minReadySeconds")
        yield from workload_selector_errors(spec, _SPEC, "deployment")
        yield from selected_template_errors(
            spec, _SPEC, "ReplicaSet", words="invalid label selector"
        )


class ReplicaSetStatusStrategy(StatusStrategy):
    """Counts cannot be negative, and no part is more than the whole."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from replica_status_errors(new.get("status") or {}, Path("status"))


_STRATEGY = ReplicaSetStrategy()
REPLICASETS = Resource(
    kind=APPS_V1.kind("ReplicaSet"),
    plural="replicasets",
    short=("rs",),
    categories=("all",),
    strategy=_STRATEGY,
    subresources={
        "scale": Subresource(kind=GroupVersionKind("autoscaling", "v1", "Scale")),
        "status": Subresource(strategy=ReplicaSetStatusStrategy(_STRATEGY)),
    },
    columns=(
        NAME,
        Column("Desired", number("spec.replicas"), type="integer"),
        Column("Current", number("status.replicas"), type="integer"),
        Column("Ready", number("status.readyReplicas"), type="integer"),
        AGE,
        *containers(),
        SELECTOR,
    ),
)
