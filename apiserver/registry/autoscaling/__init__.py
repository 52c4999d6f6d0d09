"""Horizontal pod autoscalers: stored as autoscaling/v2, served as v1 too."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.autoscaling.convert import from_v2, to_v2
from apiserver.registry.resource import Column, Resource, ServedVersion, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy
from apiserver.registry.table import AGE, NAME, field

_GROUP = GroupVersion("autoscaling", "v2")

_HORIZONTALPODAUTOSCALERS = Strategy()
HORIZONTALPODAUTOSCALERS = Resource(
    kind=_GROUP.kind("HorizontalPodAutoscaler"),
    plural="horizontalpodautoscalers",
    singular="horizontalpodautoscaler",
    short=("hpa",),
    categories=("all",),
    strategy=_HORIZONTALPODAUTOSCALERS,
    subresources={"status": Subresource(strategy=StatusStrategy(_HORIZONTALPODAUTOSCALERS))},
    columns=(
        NAME,
        Column("MinPods", field("spec.minReplicas", "<unset>")),
        Column("MaxPods", field("spec.maxReplicas")),
        Column("Replicas", field("status.currentReplicas", 0)),
        AGE,
    ),
    versions=(
        ServedVersion(
            GroupVersion("autoscaling", "v1").kind("HorizontalPodAutoscaler"), to_v2, from_v2
        ),
    ),
)

RESOURCES: tuple[Resource, ...] = (HORIZONTALPODAUTOSCALERS,)
