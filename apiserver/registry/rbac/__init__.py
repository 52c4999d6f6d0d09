"""Roles and their bindings: rbac.authorization.k8s.io/v1."""

from __future__ import annotations

from apiserver.registry.rbac.clusterrolebindings import CLUSTERROLEBINDINGS
from apiserver.registry.rbac.clusterroles import CLUSTERROLES
from apiserver.registry.rbac.rolebindings import ROLEBINDINGS
from apiserver.registry.rbac.roles import ROLES
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    ROLEBINDINGS,
    ROLES,
)
