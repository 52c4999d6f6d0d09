"""Leases: coordination.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy
from apiserver.registry.table import AGE, NAME, field

_GROUP = GroupVersion("coordination.k8s.io", "v1")


class LeaseStrategy(Strategy):
    """The structure of a Lease alone is checked."""

    allow_create_on_update = True


LEASES = Resource(
    kind=_GROUP.kind("Lease"),
    plural="leases",
    singular="lease",
    strategy=LeaseStrategy(),
    columns=(
        NAME,
        Column("Holder", field("spec.holderIdentity")),
        AGE,
    ),
)

RESOURCES: tuple[Resource, ...] = (LEASES,)
