"""Addresses of the timeline, and of the REST API of a cluster's past."""

from __future__ import annotations

from django.urls import path

from playground.history import api, views

_API = "api/clusters/<slug:name>"

urlpatterns = [
    path("clusters/<slug:name>/timeline", views.timeline, name="timeline"),
    path(f"{_API}/history", api.Overview.as_view(), name="api-history"),
    path(f"{_API}/history/changes", api.Changes.as_view(), name="api-changes"),
    path(f"{_API}/history/facts", api.Facts.as_view(), name="api-facts"),
    path(f"{_API}/history/difference", api.Difference.as_view(), name="api-difference"),
    path(f"{_API}/history/object", api.ObjectHistory.as_view(), name="api-object-history"),
    path(f"{_API}/history/lines", api.Blame.as_view(), name="api-object-lines"),
    path(f"{_API}/recording", api.Recording.as_view(), name="api-recording"),
    path("api/recordings", api.Recordings.as_view(), name="api-recordings"),
    path(f"{_API}/fork", api.Fork.as_view(), name="api-fork"),
    path(f"{_API}/bookmarks", api.Bookmarks.as_view(), name="api-bookmarks"),
    path(f"{_API}/bookmarks/<int:revision>", api.OneBookmark.as_view(), name="api-bookmark"),
]
