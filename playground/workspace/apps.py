"""How Django knows the workspace: one table, of what users prefer."""

from __future__ import annotations

from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    """The frame around every page."""

    name = "playground.workspace"
    label = "workspace"
    default_auto_field = "django.db.models.BigAutoField"
