"""Custom resource definitions: apiextensions.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy

_GROUP = GroupVersion("apiextensions.k8s.io", "v1")


class CustomResourceDefinitionStrategy(Strategy):
    """The structure of a CustomResourceDefinition alone is checked."""

    has_generation = True


_CUSTOMRESOURCEDEFINITIONS = CustomResourceDefinitionStrategy()
CUSTOMRESOURCEDEFINITIONS = Resource(
    kind=_GROUP.kind("CustomResourceDefinition"),
    plural="customresourcedefinitions",
    singular="customresourcedefinition",
    namespaced=False,
    short=(
        "crd",
        "crds",
    ),
    categories=("api-extensions",),
    storage_version="v1beta1",
    strategy=_CUSTOMRESOURCEDEFINITIONS,
    subresources={"status": Subresource(strategy=StatusStrategy(_CUSTOMRESOURCEDEFINITIONS))},
)

RESOURCES: tuple[Resource, ...] = (CUSTOMRESOURCEDEFINITIONS,)
