"""ClusterRoleBindings: who may do everywhere what a ClusterRole says."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apiserver.registry.rbac.bindings import COLUMNS, BindingStrategy
from apiserver.registry.resource import Resource

CLUSTERROLEBINDINGS = Resource(
    kind=GroupVersionKind("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding"),
    plural="clusterrolebindings",
    singular="clusterrolebinding",
    namespaced=False,
    strategy=BindingStrategy(),
    columns=COLUMNS,
)
