"""Addresses of lists and objects: group, version, plural as in the API; "core" and "-" for none."""

from __future__ import annotations

from django.urls import path

from playground.objects import views

_KIND = "clusters/<slug:name>/objects/<str:group>/<str:version>/<str:plural>"

urlpatterns = [
    path("clusters/<slug:name>/objects", views.front, name="objects-front"),
    path(_KIND, views.listing, name="objects"),
    path(f"{_KIND}/<str:ns>/<str:item>", views.detail, name="object"),
]
