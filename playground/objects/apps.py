"""How Django knows the object pages."""

from __future__ import annotations

from django.apps import AppConfig


class ObjectsConfig(AppConfig):
    """Lists and pages of objects."""

    name = "playground.objects"
    label = "objects"
