"""Addresses of the overview page and of its REST API."""

from __future__ import annotations

from django.urls import path

from playground.overview import api, views

urlpatterns = [
    path("clusters/<slug:name>/overview", views.overview, name="overview"),
    path("api/clusters/<slug:name>/overview", api.Overview.as_view(), name="api-overview"),
    path("api/clusters/<slug:name>/overview/start", api.Start.as_view(), name="api-start"),
]
