"""Runtime classes: node.k8s.io/v1."""

from __future__ import annotations

from apiserver.registry.node.runtimeclasses import RUNTIMECLASSES
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (RUNTIMECLASSES,)
