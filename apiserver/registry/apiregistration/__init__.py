"""API services: apiregistration.k8s.io/v1."""

from __future__ import annotations

from apiserver.registry.apiregistration.apiservices import APISERVICES
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (APISERVICES,)
