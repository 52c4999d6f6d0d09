"""The overview page as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class OverviewConfig(AppConfig):
    """No models: what the page shows is told by the cluster worker."""

    name = "playground.overview"
    label = "overview"
