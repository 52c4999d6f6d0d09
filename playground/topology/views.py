"""The topology page: the frame around what the browser draws."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from playground.sandboxes import access
from playground.sandboxes.gateway import gateway


@login_required
@require_GET
def topology(request: HttpRequest, name: str) -> HttpResponse:
    """Show a cluster, live."""
    cluster = access.find(gateway(), access.signed_in(request.user), name)
    return render(
        request, "topology/page.html", {"cluster": cluster, "page": "topology", "live": True}
    )


@login_required
@require_GET
def front(request: HttpRequest, name: str) -> HttpResponse:
    """Lead the short address of a cluster to its first page."""
    return HttpResponseRedirect(reverse("topology", args=[name]))
