"""Endpoint slices: discovery.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy
from apiserver.registry.table import AGE, NAME, field

_GROUP = GroupVersion("discovery.k8s.io", "v1")


class EndpointSliceStrategy(Strategy):
    """The structure of a EndpointSlice alone is checked."""

    has_generation = True


ENDPOINTSLICES = Resource(
    kind=_GROUP.kind("EndpointSlice"),
    plural="endpointslices",
    singular="endpointslice",
    strategy=EndpointSliceStrategy(),
    columns=(
        NAME,
        Column("AddressType", field("addressType")),
        AGE,
    ),
)

RESOURCES: tuple[Resource, ...] = (ENDPOINTSLICES,)
