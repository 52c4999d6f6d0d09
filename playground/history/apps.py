"""The app of the past: timeline, history of objects, forks, recordings."""

from __future__ import annotations

from django.apps import AppConfig


class HistoryConfig(AppConfig):
    """Names the app, whose label must not be that of another."""

    name = "playground.history"
    label = "history"
