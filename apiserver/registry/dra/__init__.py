"""Dynamic resource allocation: resource.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy
from apiserver.registry.table import AGE, NAME, field

_GROUP = GroupVersion("resource.k8s.io", "v1")


class DeviceClassStrategy(Strategy):
    """The structure of a DeviceClass alone is checked."""

    has_generation = True
    returns_deleted = True


DEVICECLASSES = Resource(
    kind=_GROUP.kind("DeviceClass"),
    plural="deviceclasses",
    singular="deviceclass",
    namespaced=False,
    strategy=DeviceClassStrategy(),
    columns=(
        NAME,
        AGE,
    ),
)


class ResourceClaimStrategy(Strategy):
    """The structure of a ResourceClaim alone is checked."""

    returns_deleted = True


_RESOURCECLAIMS = ResourceClaimStrategy()
RESOURCECLAIMS = Resource(
    kind=_GROUP.kind("ResourceClaim"),
    plural="resourceclaims",
    singular="resourceclaim",
    strategy=_RESOURCECLAIMS,
    subresources={"status": Subresource(strategy=StatusStrategy(_RESOURCECLAIMS))},
    columns=(
        NAME,
        AGE,
    ),
)


class ResourceClaimTemplateStrategy(Strategy):
    """The structure of a ResourceClaimTemplate alone is checked."""

    has_generation = True
    returns_deleted = True


RESOURCECLAIMTEMPLATES = Resource(
    kind=_GROUP.kind("ResourceClaimTemplate"),
    plural="resourceclaimtemplates",
    singular="resourceclaimtemplate",
    strategy=ResourceClaimTemplateStrategy(),
    columns=(
        NAME,
        AGE,
    ),
)


class ResourceSliceStrategy(Strategy):
    """The structure of a ResourceSlice alone is checked."""

    has_generation = True
    returns_deleted = True


RESOURCESLICES = Resource(
    kind=_GROUP.kind("ResourceSlice"),
    plural="resourceslices",
    singular="resourceslice",
    namespaced=False,
    strategy=ResourceSliceStrategy(),
    columns=(
        NAME,
        Column("Node", field("spec.nodeName")),
        Column("Driver", field("spec.driver")),
        Column("Pool", field("spec.pool.name")),
        AGE,
    ),
)

RESOURCES: tuple[Resource, ...] = (
    DEVICECLASSES,
    RESOURCECLAIMS,
    RESOURCECLAIMTEMPLATES,
    RESOURCESLICES,
)
