"""Disruption budgets: policy/v1."""

from __future__ import annotations

from apiserver.registry.policy.poddisruptionbudgets import PODDISRUPTIONBUDGETS
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (PODDISRUPTIONBUDGETS,)
