"""Lists of any kind and pages of single objects; htmx asks for parts of the same addresses."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from playground.objects import details, discovery
from playground.objects.discovery import CATALOG, Resource
from playground.objects.reading import Reader, revision_of
from playground.sandboxes import access
from playground.sandboxes.gateway import Refused, gateway
from playground.topology import podstatus

TABS = (
    ("summary", _("Summary")),
    ("yaml", _("YAML")),
    ("events", _("Events")),
    ("logs", _("Logs")),
)
# Kinds whose pages have logs: pods, and what has pods.
LOGGED = {
    "pods",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "replicasets.apps",
    "jobs.batch",
    "services",
}
CLUSTER_SCOPE = "-"  # stands for "no namespace" in addresses: no namespace has this name


@login_required
@require_GET
def front(request: HttpRequest, name: str) -> HttpResponse:
    """Lead to the list that one wants most often."""
    target = reverse("objects", args=[name, discovery.CORE, "v1", "pods"])
    return HttpResponseRedirect(f"{target}?{request.GET.urlencode()}" if request.GET else target)


@login_required
@require_GET
def listing(request: HttpRequest, name: str, group: str, version: str, plural: str) -> HttpResponse:
    """Show the frame of a list, whose rows come by its stream; `?kinds` is the menu alone."""
    if "kinds" in request.GET:
        CATALOG.forget(name)
    rev = revision_of(request)
    reader = Reader(gateway(), access.signed_in(request.user), name, rev)
    context: dict[str, Any] = {
        "cluster": reader.cluster,
        "page": "objects",
        "live": True,
        "namespace": request.GET.get("ns", ""),
        "groups": _grouped(reader.resources),
        "here": f"{group}/{plural}",
    }
    if "kinds" in request.GET:
        return render(request, "objects/kinds.html", context)
    resource = reader.kind(group, version, plural)
    context["resource"] = resource
    context["config"] = orjson.dumps(
        {
            "cluster": reader.cluster.name,
            "resource": {
                "group": resource.group,
                "version": resource.version,
                "plural": resource.plural,
                "kind": resource.kind,
                "namespaced": resource.namespaced,
            },
            "namespaces": _namespaces(reader) if resource.namespaced else [],
            "logs": resource.title in LOGGED,
            "rev": rev,
        }
    ).decode()
    return render(request, "objects/list.html", context)


@login_required
@require_GET
def detail(
    request: HttpRequest, name: str, group: str, version: str, plural: str, ns: str, item: str
) -> HttpResponse:
    """Show one object; htmx gets the chosen tab alone."""
    asked = Reader(gateway(), access.signed_in(request.user), name, revision_of(request))
    resource = asked.kind(group, version, plural)
    namespace = "" if ns == CLUSTER_SCOPE else ns
    tab = request.GET.get("tab", "summary")
    context: dict[str, Any] = {
        "cluster": asked.cluster,
        "page": "objects",
        "resource": resource,
        "namespace": namespace,
        "scope": ns,
        "name": item,
        "tab": tab,
        "tabs": [one for one in TABS if one[0] != "logs" or plural == "pods"],
        "compact": "compact" in request.GET,
    }
    status = 200
    try:
        found = asked.get(resource.path(namespace, item))
    except Refused as error:
        if error.code not in (403, 404):
            raise
        status = error.code
        context["refused"] = error
        context["closest"] = _closest(asked, resource, namespace, item) if status == 404 else []
    else:
        context.update(_tab(asked, found, tab, request))
    fragment = bool(request.htmx)  # type: ignore[attr-defined]
    template = "objects/tab.html" if fragment else "objects/page.html"
    # htmx shows whatever came; a fragment says itself that the object is gone.
    return render(request, template, context, status=200 if fragment else status)


def _tab(asked: Reader, found: dict[str, Any], tab: str, request: HttpRequest) -> dict[str, Any]:
    """Return what one tab shows; the others cost nothing."""
    context: dict[str, Any] = {"object": found, "meta": found.get("metadata") or {}}
    if tab == "yaml":
        managed = "managed" in request.GET
        return {
            **context,
            "yaml": details.to_yaml(found, managed_fields=managed),
            "managed": managed,
        }
    if tab == "events":
        return {**context, "events": _events(asked, found)}
    context["containers"] = details.containers(found)
    if tab == "logs":
        chosen = request.GET.get("container") or _default_container(context["containers"])
        return {**context, "container": chosen, "previous": "previous" in request.GET}
    owners = [
        (owner, discovery.find(asked.resources, owner.group or "core", owner.version, owner.plural))
        for owner in details.owners(found)
    ]
    return {
        **context,
        "facts": details.facts(found),
        "conditions": details.conditions(found),
        "owners": owners,
        "annotations": details.short_annotations(found),
        "why": podstatus.why(found) if found.get("kind") == "Pod" else "",
    }


def _default_container(containers: list[details.Container]) -> str:
    regular = [one.name for one in containers if not one.kind]
    return regular[0] if regular else ""


def _events(asked: Reader, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an object's events, the latest first."""
    meta = found.get("metadata") or {}
    selector = f"involvedObject.uid={meta.get('uid', '')}"
    namespace = meta.get("namespace")
    path = f"/api/v1/namespaces/{namespace}/events" if namespace else "/api/v1/events"
    items = asked.get(path, fieldSelector=selector).get("items") or []
    for event in items:
        series = event.get("series") or {}
        event["at"] = (
            event.get("lastTimestamp")
            or series.get("lastObservedTime")
            or event.get("eventTime")
            or event["metadata"].get("creationTimestamp")
        )
        event["from"] = (event.get("source") or {}).get("component") or event.get(
            "reportingComponent", ""
        )
    return sorted(items, key=lambda event: str(event["at"]), reverse=True)


def _closest(asked: Reader, resource: Resource, namespace: str, name: str) -> list[str]:
    """Return names like the one that does not exist."""
    try:
        items = asked.get(resource.path(namespace), limit="500").get("items") or []
    except Refused:
        return []
    return get_close_matches(name, [item["metadata"]["name"] for item in items], n=3, cutoff=0.5)


def _namespaces(reader: Reader) -> list[str]:
    items = reader.items("namespaces", metadata=True)
    return sorted(item["metadata"]["name"] for item in items)


def _grouped(resources: list[Resource]) -> list[tuple[str, list[Resource]]]:
    groups: dict[str, list[Resource]] = {}
    for resource in resources:
        groups.setdefault(resource.group, []).append(resource)
    return list(groups.items())
