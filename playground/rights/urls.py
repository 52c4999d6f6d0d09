"""Addresses of the access page and of its REST API."""

from __future__ import annotations

from django.urls import path

from playground.rights import api, views

_API = "api/clusters/<slug:name>"

urlpatterns = [
    path("clusters/<slug:name>/access", views.page, name="access"),
    path("clusters/<slug:name>/access/token", views.token, name="access-token"),
    path("clusters/<slug:name>/access/kubeconfig", views.kubeconfig, name="access-kubeconfig"),
    path("clusters/<slug:name>/access/view-as", views.view_as, name="view-as"),
    path("view-as-myself", views.view_as_myself, name="view-as-myself"),
    path(f"{_API}/access", api.Grid.as_view(), name="api-access"),
    path(f"{_API}/access/why", api.Why.as_view(), name="api-why"),
    path(f"{_API}/tokens", api.Tokens.as_view(), name="api-tokens"),
    path(f"{_API}/kubeconfigs", api.Kubeconfigs.as_view(), name="api-kubeconfigs"),
    path(f"{_API}/view-as", api.ViewAs.as_view(), name="api-view-as"),
]
