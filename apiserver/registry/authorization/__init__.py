"""Reviews of what someone may do: authorization.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy

_GROUP = GroupVersion("authorization.k8s.io", "v1")

LOCALSUBJECTACCESSREVIEWS = Resource(
    kind=_GROUP.kind("LocalSubjectAccessReview"),
    plural="localsubjectaccessreviews",
    singular="localsubjectaccessreview",
    verbs=("create",),
    strategy=Strategy(),
)

SELFSUBJECTACCESSREVIEWS = Resource(
    kind=_GROUP.kind("SelfSubjectAccessReview"),
    plural="selfsubjectaccessreviews",
    singular="selfsubjectaccessreview",
    namespaced=False,
    verbs=("create",),
    strategy=Strategy(),
)

SELFSUBJECTRULESREVIEWS = Resource(
    kind=_GROUP.kind("SelfSubjectRulesReview"),
    plural="selfsubjectrulesreviews",
    singular="selfsubjectrulesreview",
    namespaced=False,
    verbs=("create",),
    strategy=Strategy(),
)

SUBJECTACCESSREVIEWS = Resource(
    kind=_GROUP.kind("SubjectAccessReview"),
    plural="subjectaccessreviews",
    singular="subjectaccessreview",
    namespaced=False,
    verbs=("create",),
    strategy=Strategy(),
)

RESOURCES: tuple[Resource, ...] = (
    LOCALSUBJECTACCESSREVIEWS,
    SELFSUBJECTACCESSREVIEWS,
    SELFSUBJECTRULESREVIEWS,
    SUBJECTACCESSREVIEWS,
)
