"""How Django knows the object pages: they have no tables."""

from __future__ import annotations

from django.apps import AppConfig


class ObjectsConfig(AppConfig):
    """Lists and pages of objects."""

    name = "playground.objects"
    label = "objects"
