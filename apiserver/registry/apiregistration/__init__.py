"""API services: apiregistration.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy
from apiserver.registry.table import AGE, NAME

_GROUP = GroupVersion("apiregistration.k8s.io", "v1")

_APISERVICES = Strategy()
APISERVICES = Resource(
    kind=_GROUP.kind("APIService"),
    plural="apiservices",
    singular="apiservice",
    namespaced=False,
    categories=("api-extensions",),
    strategy=_APISERVICES,
    subresources={"status": Subresource(strategy=StatusStrategy(_APISERVICES))},
    columns=(
        NAME,
        AGE,
    ),
)

RESOURCES: tuple[Resource, ...] = (APISERVICES,)
