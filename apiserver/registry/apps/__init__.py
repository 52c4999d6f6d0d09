"""apps/v1: the controllers that keep pods of a template running."""

from __future__ import annotations

from apiserver.registry.apps.controllerrevisions import CONTROLLERREVISIONS
from apiserver.registry.apps.daemonsets import DAEMONSETS
from apiserver.registry.apps.deployments import DEPLOYMENTS
from apiserver.registry.apps.replicasets import REPLICASETS
from apiserver.registry.apps.statefulsets import STATEFULSETS
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    CONTROLLERREVISIONS,
    DAEMONSETS,
    DEPLOYMENTS,
    REPLICASETS,
    STATEFULSETS,
)
