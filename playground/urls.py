"""The site's addresses: pages, fragments of pages, and the playground's own REST API."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("playground.accounts.urls")),
    path("", include("playground.sandboxes.urls")),
    path("", include("playground.rights.urls")),
    path("", include("playground.lab.urls")),
    path("", include("playground.tracing.urls")),
    path("", include("playground.overview.urls")),
    path("", include("playground.placement.urls")),
    path("", include("playground.why.urls")),
    path("", include("playground.topology.urls")),
    path("", include("playground.objects.urls")),
    path("", include("playground.history.urls")),
    path("", include("playground.workspace.urls")),
    path("", include("playground.terminal.urls")),
    path("", include("playground.editor.urls")),
]

handler400 = "playground.accounts.views.bad_request"
handler403 = "playground.accounts.views.forbidden"
handler404 = "playground.accounts.views.not_found"
handler500 = "playground.accounts.views.server_error"
