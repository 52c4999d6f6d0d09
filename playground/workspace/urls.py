"""Addresses of the workspace's own pages and of what its scripts ask for."""

from __future__ import annotations

from django.urls import path

from playground.workspace import api, palette, views

urlpatterns = [
    path("settings", views.settings_page, name="settings"),
    path("language", views.language, name="language"),
    path("api/clusters/<slug:name>/search", palette.Search.as_view(), name="api-search"),
    path("api/clusters/<slug:name>/kinds", palette.Kinds.as_view(), name="api-kinds"),
    path("api/preferences", api.OwnPreferences.as_view(), name="api-preferences"),
]
