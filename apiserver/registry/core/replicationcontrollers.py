"""ReplicationControllers: what ReplicaSets were before selectors could be more than equal."""

from __future__ import annotations

from apimachinery.gvk import CORE_V1, GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apiserver.registry.apps.replicas import replica_status_errors
from apiserver.registry.podspec.checks import nonnegative
from apiserver.registry.podspec.defaults import default_template
from apiserver.registry.podspec.features import drop_disabled_in_template
from apiserver.registry.podspec.template import (
    name_warnings,
    replicated_template_errors,
    template_warnings,
)
from apiserver.registry.podspec.workload import (
    containers,
    format_labels,
    generation_changed,
    keep_status,
    number,
)
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import MetadataCheck, StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME

_SPEC = Path("spec")


class ReplicationControllerStrategy(Strategy):
    """The labels of the template stand in for a selector and for labels of its own."""

    metadata_checks = (MetadataCheck.WHOLE, MetadataCheck.CHANGES)
    has_generation = True
    # Clients of the first version deleted the pods themselves.
    default_propagation = "Orphan"

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("replicas") is None:
            spec["replicas"] = 1
        template = spec.get("template")
        if template is None:
            return
        default_template(template)
        labels = (template.get("metadata") or {}).get("labels")
        if labels:
            if not spec.get("selector"):
                spec["selector"] = dict(labels)
            if not obj["metadata"].get("labels"):
                obj["metadata"]["labels"] = dict(labels)

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {"replicas": 0}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from _template_errors(obj["spec"])
        yield from _count_errors(obj["spec"])

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        # As a new one and as a change of one: each cause is there twice, but for the counts,
        # which Kubernetes checks by the declarations of the fields.
        yield from _template_errors(new["spec"])
        yield from _template_errors(new["spec"])
        yield from _count_errors(new["spec"])

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        drop_disabled_in_template(obj["spec"])

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        return name_warnings(obj) + _template_warnings(obj)

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return _template_warnings(new) if generation_changed(new, old) else []


def _count_errors(spec: Obj) -> FieldErrors:
    for name in ("replicas", "minReadySeconds"):
        yield from nonnegative(spec.get(name), _SPEC / name)


def _template_errors(spec: Obj) -> FieldErrors:
    selector = spec.get("selector") or {}
    if not selector:
        yield required(_SPEC / "selector")
    template, path = spec.get("template"), _SPEC / "template"
    if template is None:
        yield required(path)
        return
    labels = (template.get("metadata") or {}).get("labels") or {}
    if selector and any(labels.get(key) != value for key, value in selector.items()):
        yield invalid(
            path / "metadata" / "labels",
            dict(sorted(labels.items())) or None,
            "`selector` does not match template `labels`",
        )
    yield from replicated_template_errors(template, "ReplicationController", path)


def _template_warnings(obj: Obj) -> list[str]:
    template = obj["spec"].get("template")
    return template_warnings(template, _SPEC / "template") if template else []


class ReplicationControllerStatusStrategy(StatusStrategy):
    """Counts cannot be negative, and no part is more than the whole."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from replica_status_errors(new.get("status") or {}, Path("status"))


def _selector(obj: Obj, now: float) -> str:
    return format_labels(obj["spec"].get("selector"))


def _replicas(obj: Obj) -> str:
    return str((obj.get("status") or {}).get("replicas") or 0)


_STRATEGY = ReplicationControllerStrategy()
REPLICATIONCONTROLLERS = Resource(
    kind=CORE_V1.kind("ReplicationController"),
    plural="replicationcontrollers",
    short=("rc",),
    categories=("all",),
    strategy=_STRATEGY,
    subresources={
        "scale": Subresource(kind=GroupVersionKind("autoscaling", "v1", "Scale")),
        "status": Subresource(strategy=ReplicationControllerStatusStrategy(_STRATEGY)),
    },
    selectable={"status.replicas": _replicas},
    columns=(
        NAME,
        Column("Desired", number("spec.replicas"), type="integer"),
        Column("Current", number("status.replicas"), type="integer"),
        Column("Ready", number("status.readyReplicas"), type="integer"),
        AGE,
        *containers(),
        Column("Selector", _selector, priority=1),
    ),
)
