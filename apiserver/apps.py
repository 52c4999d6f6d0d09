"""How Django knows the API server: by its label, whose tables the migrations make."""

from __future__ import annotations

from django.apps import AppConfig


class ApiserverConfig(AppConfig):
    """Clusters, their objects, and the log of their changes."""

    name = "apiserver"
    default_auto_field = "django.db.models.BigAutoField"
