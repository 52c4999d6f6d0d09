"""The trace page as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class TracingConfig(AppConfig):
    """No models: what the page shows is kept by the cluster worker."""

    name = "playground.tracing"
    label = "tracing"
