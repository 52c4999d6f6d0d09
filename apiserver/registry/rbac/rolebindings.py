"""RoleBindings: who may do in a namespace what a Role or a ClusterRole says."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apiserver.registry.rbac.bindings import COLUMNS, BindingStrategy
from apiserver.registry.resource import Resource


class RoleBindingStrategy(BindingStrategy):
    """Binds either kind of role; service accounts are those of its namespace by default."""

    role_kinds = ("Role", "ClusterRole")
    namespaced = True


ROLEBINDINGS = Resource(
    kind=GroupVersionKind("rbac.authorization.k8s.io", "v1", "RoleBinding"),
    plural="rolebindings",
    singular="rolebinding",
    strategy=RoleBindingStrategy(),
    columns=COLUMNS,
)
