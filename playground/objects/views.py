"""Lists of any kind and pages of single objects; htmx asks for parts of the same addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from playground.history import reading as history
from playground.history.past import revision_of
from playground.objects import (
    commands,
    details,
    discovery,
    events,
    facts,
    logged,
    relations,
    summary,
    vanished,
)
from playground.objects.actions import catalog
from playground.objects.discovery import CATALOG, Resource
from playground.objects.logged import LOGGED
from playground.objects.reading import Reader
from playground.objects.summary import conditions
from playground.objects.summary.parts import CLUSTER_SCOPE, Context
from playground.objects.vanished import Place
from playground.sandboxes import access
from playground.sandboxes.gateway import Refused, gateway

TABS = (
    ("summary", _("Summary")),
    ("yaml", _("YAML")),
    ("events", _("Events")),
    ("history", _("History")),
    ("relations", _("Relations")),
    ("logs", _("Logs")),
)
SHOWN_WRITES = 50


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
    resource = discovery.find(reader.resources, group, version, plural)
    if resource is None:
        return _unserved(request, reader, context, f"{plural}.{group}")
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
            "logs": resource.title in LOGGED,
            "rev": rev,
            "now": _now(reader).timestamp() if rev is not None else None,
        }
    ).decode()
    return render(request, "objects/list.html", context)


def _unserved(
    request: HttpRequest, reader: Reader, context: dict[str, Any], title: str
) -> HttpResponse:
    """Say that the cluster serves no such kind, beside those that it serves."""
    title = title.removesuffix(f".{discovery.CORE}")
    titles = {one.title: one for one in reader.resources}
    closest = [titles[one] for one in get_close_matches(title, titles, n=3, cutoff=0.6)]
    more = {"live": False, "title": title, "closest": closest}
    return render(request, "objects/unserved.html", context | more, status=404)


@login_required
@require_GET
def detail(
    request: HttpRequest, name: str, group: str, version: str, plural: str, ns: str, item: str
) -> HttpResponse:
    """Show one object; htmx gets the chosen tab alone, `?gone` what became of a deleted one."""
    asked = Reader(gateway(), access.signed_in(request.user), name, revision_of(request))
    resource = discovery.find(asked.resources, group, version, plural)
    if resource is None:
        frame = {"cluster": asked.cluster, "page": "objects", "groups": _grouped(asked.resources)}
        return _unserved(request, asked, frame, f"{plural}.{group}")
    namespace = "" if ns == CLUSTER_SCOPE else ns
    place = Place(asked, resource, namespace, item)
    tab = request.GET.get("tab", "summary")
    context: dict[str, Any] = {
        "cluster": asked.cluster,
        "page": "objects",
        "live": True,
        "resource": resource,
        "namespace": namespace,
        "scope": ns,
        # Where another namespace leads: this object is in its own.
        "list_address": reverse("objects", args=[name, group, version, plural]),
        "name": item,
        "tab": tab,
        "tabs": [one for one in TABS if one[0] != "logs" or resource.title in LOGGED],
        "compact": "compact" in request.GET,
        "rev": asked.rev,
        "watch_path": resource.path(namespace),
        "command": commands.of(tab, resource, namespace, item, asked.rev),
    }
    if "gone" in request.GET:
        context["gone"] = vanished.of(place, request.GET["gone"])
        return render(request, "objects/gone.html", context)
    status = 200
    try:
        found = asked.get(resource.path(namespace, item))
    except Refused as error:
        if error.code not in (403, 404):
            raise
        status = error.code
        # Nothing follows what is not there: the frame tells when the cluster has gone on.
        context |= {"refused": error, "live": False}
        if status == 404:
            context["closest"] = vanished.closest(place)
            context["elsewhere"] = vanished.elsewhere(place)
            context["gone"] = vanished.of(place)
            if asked.rev is not None:
                context["born"] = vanished.born(place)
        else:
            context["rule"] = rule_text(resource)
    else:
        if "download" in request.GET:
            return _download(found, item)
        context.update(_tab(asked, resource, found, tab, request))
    fragment = bool(request.htmx)  # type: ignore[attr-defined]
    template = "objects/tab.html" if fragment else "objects/page.html"
    # htmx shows whatever came; a fragment says itself that the object is gone.
    return render(request, template, context, status=200 if fragment else status)


def rule_text(resource: Resource) -> str:
    """Return the rule of a Role that lets one read a kind."""
    return (
        f'- apiGroups: ["{resource.group}"]\n  resources: ["{resource.plural}"]\n'
        '  verbs: ["get", "list", "watch"]'
    )


def _download(found: dict[str, Any], name: str) -> HttpResponse:
    response = HttpResponse(details.to_yaml(found), content_type="application/yaml")
    response["Content-Disposition"] = f'attachment; filename="{name}.yaml"'
    return response


def _now(asked: Reader) -> datetime:
    """Return the cluster's time, or that of the revision which a page shows."""
    source, name = asked.gateway, asked.cluster.name
    if asked.rev is not None:
        seconds = source.moment(name, asked.rev)["at"]
    else:
        seconds = source.page("GET", name, "clock")["seconds"]
    return datetime.fromtimestamp(float(seconds), UTC)


def _tab(
    asked: Reader, resource: Resource, found: dict[str, Any], tab: str, request: HttpRequest
) -> dict[str, Any]:
    """Return what one tab shows; the others cost nothing."""
    meta = found.get("metadata") or {}
    context: dict[str, Any] = {"object": found, "meta": meta, "now": _now(asked)}
    context["idle"] = catalog.idle(resource, found)
    about = Context(asked, shown=request.GET.get("show", ""))
    owner = facts.controller(found)
    context["owner"] = about.to_reference(owner, facts.namespace(found)).link if owner else ""
    if resource.title == "pods":
        context["containers"] = [str(one["name"]) for one in found["spec"]["containers"]]
    if tab == "yaml":
        return {**context, **_yaml(resource, found, request)}
    if tab == "events":
        about_it = {
            "ns": facts.namespace(found),
            "object": f"{resource.kind.lower()}/{meta['name']}",
        }
        params = orjson.dumps(about_it).decode()
        told = events.about(asked, found)
        return {**context, "events": told, "events_params": params, "unseen": asked.refusals}
    if tab == "history":
        return {**context, **_history(asked, resource, found)}
    if tab == "relations":
        picture = relations.of(resource.title, found, about)
        unseen = list(dict.fromkeys(asked.refusals))
        drawing = orjson.dumps(picture.drawing).decode()
        return {**context, "relations": picture, "drawing": drawing, "unseen": unseen}
    if tab == "logs":
        return {**context, **logged.choice(resource, found, about, request)}
    parts = events.explained(list(summary.of(resource.title, found, about)), asked, found)
    return {
        **context,
        "parts": [(type(part).__name__, part) for part in parts],
        "owners": [
            about.to_reference(one, facts.namespace(found))
            for one in facts.meta(found).get("ownerReferences") or ()
        ],
        "conditions": conditions.conditions(found),
        "annotations": details.short_annotations(found),
        "unseen": list(dict.fromkeys(asked.refusals)),
    }


def _yaml(resource: Resource, found: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    managed, open_ = "managed" in request.GET, "reveal" in request.GET
    secret = resource.title == "secrets"
    shown = found if open_ or not secret else details.without_values(found)
    text = details.to_yaml(shown, managed_fields=managed)
    return {"yaml": text, "managed": managed, "secret": secret, "revealed": open_}


def _history(asked: Reader, resource: Resource, found: dict[str, Any]) -> dict[str, Any]:
    """Return the writes of an object until the page's revision, the latest first."""
    until = {} if asked.rev is None else {"before": str(asked.rev + 1)}
    records = asked.gateway.history(
        asked.cluster.name,
        asked.identity,
        "/object",
        resource=resource.title,
        namespace=facts.namespace(found),
        name=facts.name(found),
        **until,
    )["items"]
    return {
        "writes": history.writes(records, SHOWN_WRITES),
        "left": len(records) > SHOWN_WRITES,
        # As the timeline's address names an object.
        "history_of": f"{resource.title}/{facts.namespace(found) or '-'}/{facts.name(found)}",
    }


def _grouped(resources: list[Resource]) -> list[tuple[str, list[Resource]]]:
    groups: dict[str, list[Resource]] = {}
    for resource in resources:
        groups.setdefault(resource.group, []).append(resource)
    return list(groups.items())
