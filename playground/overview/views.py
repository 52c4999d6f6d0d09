"""The overview page: the frame around what the browser draws."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from playground.history import past
from playground.sandboxes import access
from playground.sandboxes.gateway import gateway


@login_required
@require_GET
def overview(request: HttpRequest, name: str) -> HttpResponse:
    """Show how a cluster is, live or at a revision."""
    user = access.signed_in(request.user)
    cluster = access.find(gateway(), user, name)
    context = {
        "cluster": cluster,
        "page": "overview",
        "live": True,
        "revision": past.revision_of(request),
        "may_change": access.may_change(user, cluster),
    }
    return render(request, "overview/page.html", context)
