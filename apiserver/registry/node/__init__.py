"""Runtime classes: node.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy
from apiserver.registry.table import AGE, NAME, field

_GROUP = GroupVersion("node.k8s.io", "v1")

RUNTIMECLASSES = Resource(
    kind=_GROUP.kind("RuntimeClass"),
    plural="runtimeclasses",
    singular="runtimeclass",
    namespaced=False,
    strategy=Strategy(),
    columns=(
        NAME,
        Column("Handler", field("handler")),
        AGE,
    ),
)

RESOURCES: tuple[Resource, ...] = (RUNTIMECLASSES,)
