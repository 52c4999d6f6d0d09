"""Addresses of lists and objects: group, version, plural as in the API; "core" and "-" for none."""

from __future__ import annotations

from django.urls import path

from playground.objects import api, views

_KIND = "clusters/<slug:name>/objects/<str:group>/<str:version>/<str:plural>"
_API = "api/clusters/<slug:name>"

urlpatterns = [
    path("clusters/<slug:name>/objects", views.front, name="objects-front"),
    path(_KIND, views.listing, name="objects"),
    path(f"{_KIND}/<str:ns>/<str:item>", views.detail, name="object"),
    path(f"{_API}/actions", api.Actions.as_view(), name="api-actions"),
    path(f"{_API}/actions/plan", api.Plan.as_view(), name="api-plan"),
    path(f"{_API}/permissions", api.Permissions.as_view(), name="api-permissions"),
    path("api/saved-filters", api.SavedFilters.as_view(), name="api-saved-filters"),
    path("api/saved-filters/<int:number>", api.OneSavedFilter.as_view(), name="api-saved-filter"),
]
