"""Addresses of the trace page and of its REST API."""

from __future__ import annotations

from django.urls import path

from playground.tracing import api, views

urlpatterns = [
    path("clusters/<slug:name>/trace", views.trace, name="trace"),
    path("clusters/<slug:name>/trace/sample", views.sample, name="trace-sample"),
    path("clusters/<slug:name>/trace/<str:audit_id>", views.trace, name="trace-of"),
    path("api/clusters/<slug:name>/traces", api.Traces.as_view(), name="api-traces"),
    path(
        "api/clusters/<slug:name>/traces/details",
        api.Details.as_view(),
        name="api-trace-details",
    ),
    path(
        "api/clusters/<slug:name>/traces/<str:audit_id>", api.OneTrace.as_view(), name="api-trace"
    ),
    path("api/clusters/<slug:name>/audit", api.Audit.as_view(), name="api-audit"),
]
