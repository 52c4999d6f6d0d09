"""Addresses of the terminals' page and of their REST API."""

from __future__ import annotations

from django.urls import path

from playground.terminal import api, views

_TERMINALS = "api/clusters/<slug:name>/terminals"

urlpatterns = [
    path("clusters/<slug:name>/terminal", views.page, name="terminal"),
    path("clusters/<slug:name>/terminal/named", views.named, name="terminal-named"),
    path(_TERMINALS, api.Terminals.as_view(), name="api-terminals"),
    path(f"{_TERMINALS}/<slug:number>", api.OneTerminal.as_view(), name="api-terminal"),
    path(
        f"{_TERMINALS}/<slug:number>/recording",
        api.Recording.as_view(),
        name="api-terminal-recording",
    ),
]
