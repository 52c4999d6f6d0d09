"""Addresses of the editor, and of the REST API by which it reads and writes."""

from __future__ import annotations

from django.urls import path

from playground.editor import api, views

_API = "api/clusters/<slug:name>/editor"

urlpatterns = [
    path("clusters/<slug:name>/editor", views.editor, name="editor"),
    path(f"{_API}/document", api.Document.as_view(), name="api-editor-document"),
    path(f"{_API}/opening", api.Opening.as_view(), name="api-editor-opening"),
    path(f"{_API}/object", api.OneObject.as_view(), name="api-editor-object"),
    path(f"{_API}/schema", api.Schema.as_view(), name="api-editor-schema"),
]
