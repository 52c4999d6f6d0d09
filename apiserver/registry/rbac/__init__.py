"""Roles and their bindings: rbac.authorization.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apimachinery.validation.names import is_path_segment
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy
from apiserver.registry.table import AGE, NAME

_GROUP = GroupVersion("rbac.authorization.k8s.io", "v1")


class ClusterRoleBindingStrategy(Strategy):
    """The structure of a ClusterRoleBinding alone is checked."""

    allow_create_on_update = True
    name_rule = staticmethod(is_path_segment)


CLUSTERROLEBINDINGS = Resource(
    kind=_GROUP.kind("ClusterRoleBinding"),
    plural="clusterrolebindings",
    singular="clusterrolebinding",
    namespaced=False,
    strategy=ClusterRoleBindingStrategy(),
    columns=(
        NAME,
        AGE,
    ),
)


class ClusterRoleStrategy(Strategy):
    """The structure of a ClusterRole alone is checked."""

    allow_create_on_update = True
    name_rule = staticmethod(is_path_segment)


CLUSTERROLES = Resource(
    kind=_GROUP.kind("ClusterRole"),
    plural="clusterroles",
    singular="clusterrole",
    namespaced=False,
    strategy=ClusterRoleStrategy(),
)


class RoleBindingStrategy(Strategy):
    """The structure of a RoleBinding alone is checked."""

    allow_create_on_update = True
    name_rule = staticmethod(is_path_segment)


ROLEBINDINGS = Resource(
    kind=_GROUP.kind("RoleBinding"),
    plural="rolebindings",
    singular="rolebinding",
    strategy=RoleBindingStrategy(),
    columns=(
        NAME,
        AGE,
    ),
)


class RoleStrategy(Strategy):
    """The structure of a Role alone is checked."""

    allow_create_on_update = True
    name_rule = staticmethod(is_path_segment)


ROLES = Resource(
    kind=_GROUP.kind("Role"),
    plural="roles",
    singular="role",
    strategy=RoleStrategy(),
)

RESOURCES: tuple[Resource, ...] = (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    ROLEBINDINGS,
    ROLES,
)
