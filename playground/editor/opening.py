"""What an editor begins with: the kinds of the cluster, and the object that it is to open."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from playground.editor import texts, writers
from playground.objects import vanished
from playground.objects.discovery import Resource
from playground.objects.reading import Reader
from playground.objects.summary.parts import CLUSTER_SCOPE
from playground.objects.vanished import Place
from playground.objects.views import rule_text
from playground.sandboxes.gateway import Refused

DEFAULT_NAMESPACE = "default"


def begun(reader: Reader, ns: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
    """Return the kinds to write, and the object to open if one is named; `ns` is the page's."""
    found: dict[str, Any] = {
        "cluster": reader.cluster.name,
        "namespace": ns or DEFAULT_NAMESPACE,
        "rev": reader.rev,
        "kinds": [_kind(one) for one in reader.resources],
        "object": None,
    }
    if kind and name:
        found["object"] = about = opened(reader, kind, namespace, name)
        found["namespace"] = about["namespace"] or found["namespace"]
    return found


def _kind(resource: Resource) -> list[Any]:
    """Return a kind as the page wants it: apiVersion, kind, title, namespaced."""
    group = f"{resource.group}/" if resource.group else ""
    return [f"{group}{resource.version}", resource.kind, resource.title, resource.namespaced]


def opened(reader: Reader, title: str, namespace: str, name: str) -> dict[str, Any]:
    """Return an object to edit, or why there is none. Raises Http404 for an unknown kind."""
    resource = reader.titled(title)
    namespace = (namespace or DEFAULT_NAMESPACE) if resource.namespaced else ""
    about: dict[str, Any] = {
        "resource": title,
        "kind": resource.kind,
        "namespace": namespace,
        "name": name,
        "path": resource.path(namespace),
        "page": _page(reader, resource, namespace, name),
        "secret": title == "secrets",
    }
    try:
        there = reader.get(resource.path(namespace, name))
        return about | texts.described(there, writers.last(reader, resource, there))
    except Refused as error:
        if error.code not in (403, 404):
            raise
        about["refused"] = {"code": error.code, "message": error.message}
        if error.code == 403:
            about["rule"] = rule_text(resource)
        else:
            about["closest"] = vanished.closest(Place(reader, resource, namespace, name))
        return about


def _page(reader: Reader, resource: Resource, namespace: str, name: str) -> str:
    place = (resource.slug_group, resource.version, resource.plural, namespace or CLUSTER_SCOPE)
    return reverse("object", args=(reader.cluster.name, *place, name))


def of_the_past(past: Reader, about: dict[str, Any]) -> dict[str, Any]:
    """Return the text to begin with: the object as it was at a revision, if it was."""
    try:
        found = past.get(f"{about['path']}/{about['name']}")
    except Refused:
        return {}
    return {"start": texts.editable(found), "from": past.rev}
