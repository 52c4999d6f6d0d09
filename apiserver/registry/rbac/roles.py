"""Roles: what may be done in a namespace.

That nobody grants more than they hold is checked where the user is known: in auth.
"""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path
from apiserver.registry.rbac.rules import rule_errors
from apiserver.registry.rbac.strategy import RBACStrategy
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import StrategyContext


class RoleStrategy(RBACStrategy):
    """Rules on resources alone: a namespace has no URLs of its own."""

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from rule_errors(obj.get("rules"), Path("rules"), namespaced=True)


ROLES = Resource(
    kind=GroupVersionKind("rbac.authorization.k8s.io", "v1", "Role"),
    plural="roles",
    singular="role",
    strategy=RoleStrategy(),
)
