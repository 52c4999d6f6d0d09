"""Addresses of the failure kit and of a cluster's clock."""

from __future__ import annotations

from django.urls import path

from playground.lab import api

urlpatterns = [
    path("api/clusters/<slug:name>/clock", api.Clock.as_view(), name="api-clock"),
    path("api/clusters/<slug:name>/failures", api.Failures.as_view(), name="api-failures"),
    path(
        "api/clusters/<slug:name>/failures/<slug:failure>",
        api.OneFailure.as_view(),
        name="api-failure",
    ),
]
