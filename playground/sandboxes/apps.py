"""How Django knows the sandboxes: they have no tables, the cluster worker keeps everything."""

from __future__ import annotations

from django.apps import AppConfig


class SandboxesConfig(AppConfig):
    """Clusters as the site shows them."""

    name = "playground.sandboxes"
    label = "sandboxes"
