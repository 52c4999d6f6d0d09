"""ClusterRoles: what may be done anywhere, written out or gathered from other ClusterRoles."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apiserver.registry.podspec.selectors import selector_errors
from apiserver.registry.rbac.rules import rule_errors
from apiserver.registry.rbac.strategy import RBACStrategy
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import StrategyContext


class ClusterRoleStrategy(RBACStrategy):
    """With an aggregationRule, a controller writes the rules."""

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from rule_errors(obj.get("rules"), Path("rules"), namespaced=False)
        gathers = obj.get("aggregationRule")
        if gathers is None:
            return
        path = Path("aggregationRule") / "clusterRoleSelectors"
        selectors = gathers.get("clusterRoleSelectors") or ()
        if not selectors:
            why = "at least one clusterRoleSelector required if aggregationRule is non-nil"
            yield required(path, why)
        for at, selector in enumerate(selectors):
            wrong = list(selector_errors(selector, path[at]))
            yield from wrong
            if wrong:
                yield invalid(path[at], None, "invalid label selector.")


CLUSTERROLES = Resource(
    kind=GroupVersionKind("rbac.authorization.k8s.io", "v1", "ClusterRole"),
    plural="clusterroles",
    singular="clusterrole",
    namespaced=False,
    strategy=ClusterRoleStrategy(),
)
