"""ServiceAccounts: names that pods run under; tokens for them are a subresource."""

from __future__ import annotations

from apimachinery.gvk import CORE_V1, GroupVersionKind
from apimachinery.meta import Obj, annotations_of
from apiserver.registry.resource import Resource, Subresource
from apiserver.registry.strategy import MetadataCheck, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME

_ENFORCE = "kubernetes.io/enforce-mountable-secrets"


class ServiceAccountStrategy(Strategy):
    """Nothing but metadata is checked."""

    metadata_checks = (MetadataCheck.CHANGES, MetadataCheck.WHOLE)
    returns_deleted = True

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        _keep_names(obj)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        _keep_names(new)

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        if _ENFORCE not in annotations_of(obj):
            return []
        return [
            (
                f"metadata.annotations[{_ENFORCE}]: deprecated in v1.32+; "
                "prefer separate namespaces to isolate access to mounted secrets"
            )
        ]

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return [] if _ENFORCE in annotations_of(old) else self.warnings_on_create(new, ctx)


def _keep_names(account: Obj) -> None:
    """Secrets are in the account's own namespace: of a reference only the name counts."""
    if secrets := account.get("secrets"):
        account["secrets"] = [{k: v for k, v in one.items() if k == "name"} for one in secrets]


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
