"""Endpoint slices: discovery.k8s.io/v1."""

from __future__ import annotations

from apiserver.registry.discovery.endpointslices import ENDPOINTSLICES
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (ENDPOINTSLICES,)
