"""The timeline page: the frame around what the browser draws."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from playground import pages
from playground.sandboxes import access
from playground.sandboxes.gateway import gateway


@login_required
@require_GET
def timeline(request: HttpRequest, name: str) -> HttpResponse:
    """Show a cluster's past."""
    user = access.signed_in(request.user)
    cluster = access.find(gateway(), user, name)
    context = {
        "cluster": cluster,
        "page": "timeline",
        "live": True,
        "has_traces": any(page.name == "trace" for page in pages.listed()),
        "oneself": access.is_oneself(user, cluster),
        # The page has a place for the revision itself, so that it needs no banner.
        "past": None,
    }
    return render(request, "history/timeline.html", context)
