"""The page of terminals, and the way from a name that one printed to the page of its object."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from playground.objects.discovery import CATALOG, Resource
from playground.sandboxes import access
from playground.sandboxes.gateway import gateway


@login_required
@require_GET
def page(request: HttpRequest, name: str) -> HttpResponse:
    """Show the terminals of a cluster."""
    cluster = access.find(gateway(), access.signed_in(request.user), name)
    context = {"cluster": cluster, "page": "terminal", "follows": True}
    return render(request, "terminal/page.html", context)


@login_required
@require_GET
def named(request: HttpRequest, name: str) -> HttpResponse:
    """Lead from `deployment.apps/web` to the page of that object."""
    _user, cluster, identity = access.asked(request.user, name)
    kind, _slash, item = request.GET.get("what", "").partition("/")
    resources = CATALOG.resources(gateway(), cluster.name, identity)
    found = resource_named(resources, kind)
    if found is None or not item:
        raise Http404(_("The cluster serves no kind “%(kind)s”.") % {"kind": kind})
    namespace = (request.GET.get("ns") or "default") if found.namespaced else "-"
    target = (cluster.name, found.slug_group, found.version, found.plural, namespace, item)
    return HttpResponseRedirect(reverse("object", args=target))


def resource_named(resources: list[Resource], name: str) -> Resource | None:
    """Return the resource that kubectl prints as `deployment.apps`, `pods`, `svc` or `node`."""
    word, _dot, group = name.lower().partition(".")
    for one in resources:
        names = {one.plural, one.kind.lower(), *one.short}
        if word in names and group in ("", one.group):
            return one
    return None
