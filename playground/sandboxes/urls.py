"""Addresses of the home page, of its drawers, and of the REST API."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from playground.sandboxes import api, views

urlpatterns = [
    path("", views.home, name="home"),
    path("switch", views.switch, name="switch"),
    path("clusters/<slug:name>/connect", views.connect, name="connect"),
    path("clusters/<slug:name>/connections", views.connections, name="connections"),
    path("clusters/<slug:name>/kubeconfig", views.kubeconfig, name="kubeconfig"),
    path("clusters/<slug:name>/delete", views.delete, name="delete-cluster"),
    path("api/clusters", api.Clusters.as_view(), name="api-clusters"),
    path("api/clusters/<slug:name>", api.OneCluster.as_view(), name="api-cluster"),
    path("api/schema", SpectacularAPIView.as_view(), name="api-schema"),
]
