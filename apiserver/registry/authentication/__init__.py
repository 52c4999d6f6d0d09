"""Reviews of who someone is: authentication.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy

_GROUP = GroupVersion("authentication.k8s.io", "v1")

SELFSUBJECTREVIEWS = Resource(
    kind=_GROUP.kind("SelfSubjectReview"),
    plural="selfsubjectreviews",
    singular="selfsubjectreview",
    namespaced=False,
    verbs=("create",),
    strategy=Strategy(),
)

TOKENREVIEWS = Resource(
    kind=_GROUP.kind("TokenReview"),
    plural="tokenreviews",
    singular="tokenreview",
    namespaced=False,
    verbs=("create",),
    strategy=Strategy(),
)

RESOURCES: tuple[Resource, ...] = (
    SELFSUBJECTREVIEWS,
    TOKENREVIEWS,
)
