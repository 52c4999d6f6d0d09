"""Leases: coordination.k8s.io/v1."""

from __future__ import annotations

from apiserver.registry.coordination.leases import LEASES
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (LEASES,)
