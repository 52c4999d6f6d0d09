"""ClusterRoles: what may be done anywhere, written out or gathered from other ClusterRoles."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, required
from apimachinery.validation.names import is_path_segment
from apiserver.registry.podspec.selectors import selector_errors
from apiserver.registry.rbac.rules import rule_errors
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy, StrategyContext


class ClusterRoleStrategy(Strategy):
    """With an aggregationRule, a controller writes the rules."""

    allow_create_on_update = True
    name_rule = staticmethod(is_path_segment)

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
            yield from selector_errors(selector, path[at])


CLUSTERROLES = Resource(
    kind=GroupVersionKind("rbac.authorization.k8s.io", "v1", "ClusterRole"),
    plural="clusterroles",
    singular="clusterrole",
    namespaced=False,
    strategy=ClusterRoleStrategy(),
)
