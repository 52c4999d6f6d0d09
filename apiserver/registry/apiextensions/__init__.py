"""Custom resource definitions: apiextensions.k8s.io/v1."""

from __future__ import annotations

from apiserver.registry.apiextensions.customresourcedefinitions import CUSTOMRESOURCEDEFINITIONS
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (CUSTOMRESOURCEDEFINITIONS,)
