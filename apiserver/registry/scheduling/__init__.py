"""Priority classes: scheduling.k8s.io/v1."""

from __future__ import annotations

from apiserver.registry.resource import Resource
from apiserver.registry.scheduling.priorityclasses import PRIORITYCLASSES

RESOURCES: tuple[Resource, ...] = (PRIORITYCLASSES,)
