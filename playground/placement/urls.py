"""Addresses of the REST API of placement."""

from __future__ import annotations

from django.urls import path

from playground.placement import api

urlpatterns = [
    path(
        "api/clusters/<slug:name>/decisions/<str:uid>",
        api.Decisions.as_view(),
        name="api-decisions",
    ),
]
