"""Addresses of the REST API of causes."""

from __future__ import annotations

from django.urls import path

from playground.why import api

urlpatterns = [
    path(
        "api/clusters/<slug:name>/why/<str:kind>/<str:ns>/<str:item>",
        api.Causes.as_view(),
        name="api-why",
    ),
]
