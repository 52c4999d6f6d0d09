"""The editor as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class EditorConfig(AppConfig):
    """No models: texts stay in the browser until the cluster takes them."""

    name = "playground.editor"
    label = "editor"
