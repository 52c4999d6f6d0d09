"""Roles: what may be done in a namespace.

That nobody grants more than they hold is checked where the user is known: in auth.
"""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path
from apimachinery.validation.names import is_path_segment
from apiserver.registry.rbac.rules import rule_errors
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy, StrategyContext


class RoleStrategy(Strategy):
    """Rules on resources alone: a namespace has no URLs of its own."""

    allow_create_on_update = True
    name_rule = staticmethod(is_path_segment)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from rule_errors(obj.get("rules"), Path("rules"), namespaced=True)


ROLES = Resource(
    kind=GroupVersionKind("rbac.authorization.k8s.io", "v1", "Role"),
    plural="roles",
    singular="role",
    strategy=RoleStrategy(),
)
