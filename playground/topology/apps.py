"""How Django knows the topology page: it has no tables."""

from __future__ import annotations

from django.apps import AppConfig


class TopologyConfig(AppConfig):
    """The live picture of a cluster."""

    name = "playground.topology"
    label = "topology"
