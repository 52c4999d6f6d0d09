"""The editor's page: a new text, or an object that its address names."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from playground.editor import texts, writers
from playground.history.past import revision_of
from playground.objects import vanished
from playground.objects.discovery import Resource
from playground.objects.reading import Reader
from playground.objects.summary.parts import CLUSTER_SCOPE
from playground.objects.vanished import Place
from playground.objects.views import rule_text
from playground.sandboxes import access
from playground.sandboxes.gateway import Refused, gateway

DEFAULT_NAMESPACE = "default"


@login_required
@require_GET
def editor(request: HttpRequest, name: str) -> HttpResponse:
    """Show the editor; `?kind=&namespace=&name=` opens an object, `rev` one of the past."""
    rev = revision_of(request)
    user = access.signed_in(request.user)
    reader = Reader(gateway(), user, name, rev)
    config: dict[str, Any] = {
        "cluster": reader.cluster.name,
        "namespace": request.GET.get("ns") or DEFAULT_NAMESPACE,
        "rev": rev,
        "kinds": [_kind(one) for one in reader.resources],
        "object": None,
    }
    context: dict[str, Any] = {"cluster": reader.cluster, "page": "editor"}
    title, item = request.GET.get("kind", ""), request.GET.get("name", "")
    if title and item:
        found = _opened(request, reader, title, item)
        context["live"] = rev is None
        context["opened"] = config["object"] = found
        config["namespace"] = found["namespace"] or config["namespace"]
        if rev is None and (before := revision_of(request, "from")) is not None:
            config |= _began(Reader(gateway(), user, name, before), found)
    context["config"] = orjson.dumps(config).decode()
    return render(request, "editor/page.html", context)


def _kind(resource: Resource) -> list[Any]:
    """Return a kind as the page wants it: apiVersion, kind, title, namespaced."""
    group = f"{resource.group}/" if resource.group else ""
    return [f"{group}{resource.version}", resource.kind, resource.title, resource.namespaced]


def _opened(request: HttpRequest, reader: Reader, title: str, item: str) -> dict[str, Any]:
    """Return the object that the address names, or why there is none."""
    resource = reader.titled(title)
    namespace = ""
    if resource.namespaced:
        namespace = request.GET.get("namespace") or DEFAULT_NAMESPACE
    about: dict[str, Any] = {
        "resource": title,
        "kind": resource.kind,
        "namespace": namespace,
        "name": item,
        "path": resource.path(namespace),
        "page": _page(reader, resource, namespace, item),
        "secret": title == "secrets",
    }
    try:
        there = reader.get(resource.path(namespace, item))
        return about | texts.described(there, writers.last(reader, title, there))
    except Refused as error:
        if error.code not in (403, 404):
            raise
        about["refused"] = {"code": error.code, "message": error.message}
        if error.code == 403:
            about["rule"] = rule_text(resource)
        else:
            about["closest"] = vanished.closest(Place(reader, resource, namespace, item))
        return about


def _page(reader: Reader, resource: Resource, namespace: str, item: str) -> str:
    place = (resource.slug_group, resource.version, resource.plural, namespace or CLUSTER_SCOPE)
    return reverse("object", args=(reader.cluster.name, *place, item))


def _began(past: Reader, about: dict[str, Any]) -> dict[str, Any]:
    """Return the text to begin with: the object as it was at a revision, if it was."""
    try:
        found = past.get(f"{about['path']}/{about['name']}")
    except Refused:
        return {}
    return {"start": texts.editable(found), "from": past.rev}
