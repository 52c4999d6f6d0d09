"""Horizontal pod autoscalers: autoscaling/v1 and v2."""

from __future__ import annotations

from apiserver.registry.autoscaling.horizontalpodautoscalers import HORIZONTALPODAUTOSCALERS
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (HORIZONTALPODAUTOSCALERS,)
