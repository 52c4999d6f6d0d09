"""The topology page: the frame around what the browser draws."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from playground.history import past
from playground.sandboxes import access
from playground.sandboxes.gateway import gateway


@login_required
@require_GET
def topology(request: HttpRequest, name: str) -> HttpResponse:
    """Show a cluster, live."""
    user = access.signed_in(request.user)
    cluster = access.find(gateway(), user, name)
    context = {
        "cluster": cluster,
        "page": "topology",
        "live": True,
        "revision": past.revision_of(request),
        "readonly": not access.may_change(user, cluster),
        "viewing": access.viewing_of(user, cluster),
    }
    return render(request, "topology/page.html", context)


@login_required
@require_GET
def front(request: HttpRequest, name: str) -> HttpResponse:
    """Lead the short address of a cluster to its first page."""
    target = reverse("topology", args=[name])
    return HttpResponseRedirect(f"{target}?{request.GET.urlencode()}" if request.GET else target)
