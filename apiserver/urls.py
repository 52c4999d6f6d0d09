"""The addresses of a cluster's API; which resource a path means is looked up in its catalog."""

from __future__ import annotations

from django.urls import re_path

from apiserver.endpoints.views import DiscoveryView, PageView, ResourceView

urlpatterns = [
    re_path(r"^(?:api/[^/]+|apis/[^/]+/[^/]+)/+[^/]", ResourceView.as_view()),
    re_path(r"^apis?(?:/.*)?$", DiscoveryView.as_view()),
    re_path(r"", PageView.as_view()),
]
