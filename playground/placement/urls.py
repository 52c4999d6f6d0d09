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
    path("api/clusters/<slug:name>/scheduling", api.Scheduling.as_view(), name="api-scheduling"),
    path(
        "api/clusters/<slug:name>/scheduling/pods/<str:uid>",
        api.PodScheduling.as_view(),
        name="api-scheduling-pod",
    ),
    path(
        "api/clusters/<slug:name>/scheduling/what-if",
        api.WhatIf.as_view(),
        name="api-scheduling-what-if",
    ),
]
