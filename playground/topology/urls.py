"""Addresses of the topology page."""

from __future__ import annotations

from django.urls import path

from playground.topology import views

urlpatterns = [
    path("clusters/<slug:name>/", views.front, name="cluster"),
    path("clusters/<slug:name>/topology", views.topology, name="topology"),
]
