"""ServiceAccounts: names that pods run under; tokens for them are a subresource."""

from __future__ import annotations

from apimachinery.gvk import CORE_V1, GroupVersionKind
from apiserver.registry.resource import Resource, Subresource
from apiserver.registry.strategy import Strategy
from apiserver.registry.table import AGE, NAME


class ServiceAccountStrategy(Strategy):
    """Nothing but metadata is checked."""

    returns_deleted = True


SERVICEACCOUNTS = Resource(
    kind=CORE_V1.kind("ServiceAccount"),
    plural="serviceaccounts",
    short=("sa",),
    strategy=ServiceAccountStrategy(),
    subresources={
        "token": Subresource(
            verbs=("create",),
            kind=GroupVersionKind("authentication.k8s.io", "v1", "TokenRequest"),
        )
    },
    columns=(NAME, AGE),
)
