"""Addresses of the home page, of its drawers, and of the REST API."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from playground.sandboxes import api, views

urlpatterns = [
    path("", views.home, name="home"),
    path("new-cluster", views.new, name="new-cluster"),
    path("import", views.import_recording, name="import-recording"),
    path("switch", views.switch, name="switch"),
    path("clusters/<slug:name>/connect", views.connect, name="connect"),
    path("clusters/<slug:name>/connections", views.connections, name="connections"),
    path("clusters/<slug:name>/kubeconfig", views.kubeconfig, name="kubeconfig"),
    path("clusters/<slug:name>/fork", views.fork, name="fork-cluster"),
    path("clusters/<slug:name>/pause", views.pause, name="pause-cluster"),
    path("clusters/<slug:name>/resume", views.resume, name="resume-cluster"),
    path("clusters/<slug:name>/delete", views.delete, name="delete-cluster"),
    path("api/clusters", api.Clusters.as_view(), name="api-clusters"),
    path("api/clusters/<slug:name>", api.OneCluster.as_view(), name="api-cluster"),
    path("api/clusters/<slug:name>/pause", api.Pause.as_view(), name="api-pause"),
    path("api/clusters/<slug:name>/resume", api.Resume.as_view(), name="api-resume"),
    path("api/clusters/<slug:name>/picture", api.Picture.as_view(), name="api-picture"),
    path("api/schema", SpectacularAPIView.as_view(), name="api-schema"),
]
