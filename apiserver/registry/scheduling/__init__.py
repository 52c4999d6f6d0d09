"""Priority classes: scheduling.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy
from apiserver.registry.table import AGE, NAME, field

_GROUP = GroupVersion("scheduling.k8s.io", "v1")


class PriorityClassStrategy(Strategy):
    """The structure of a PriorityClass alone is checked."""

    has_generation = True


PRIORITYCLASSES = Resource(
    kind=_GROUP.kind("PriorityClass"),
    plural="priorityclasses",
    singular="priorityclass",
    namespaced=False,
    short=("pc",),
    strategy=PriorityClassStrategy(),
    columns=(
        NAME,
        Column("Value", field("value", 0), type="integer"),
        Column("Global-Default", field("globalDefault", False), type="boolean"),
        AGE,
        Column("PreemptionPolicy", field("preemptionPolicy", "PreemptLowerPriority")),
    ),
)

RESOURCES: tuple[Resource, ...] = (PRIORITYCLASSES,)
