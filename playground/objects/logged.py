"""Whose logs a page shows: a pod's, or those of all pods that belong to an object."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest

from playground.objects import facts
from playground.objects.discovery import Resource
from playground.objects.facts import Object
from playground.objects.summary.parts import Context

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
GROUPS = ("initContainers", "containers", "ephemeralContainers")
# Streams that a page holds open at once.
MOST_PODS = 20


def choice(
    resource: Resource, item: Object, context: Context, request: HttpRequest
) -> dict[str, Any]:
    """Return the pods whose logs are shown, and the containers that there are to choose from."""
    pods = [item] if resource.title == "pods" else _pods(resource, item, context)
    names = dict.fromkeys(
        str(one.get("name"))
        for pod in pods
        for group in GROUPS
        for one in facts.spec(pod).get(group) or ()
    )
    first = next(
        (str(one.get("name")) for pod in pods for one in facts.spec(pod).get("containers") or ()),
        "",
    )
    chosen = request.GET.get("container") or first
    # As kubectl names what has pods.
    source = "" if resource.title == "pods" else f"{resource.kind.lower()}/{facts.name(item)}"
    params = {
        "ns": facts.namespace(item),
        **({"of": source} if source else {"pod": facts.name(item)}),
        "pods": ",".join(facts.name(pod) for pod in pods[:MOST_PODS]),
        "containers": ",".join(names),
        "container": chosen,
    }
    return {
        "log_params": orjson.dumps(params).decode(),
        "log_of": source,
        "log_pods": [facts.name(pod) for pod in pods[:MOST_PODS]],
        "log_all": len(pods),
        "log_containers": list(names),
        "container": chosen,
        "previous": "previous" in request.GET,
    }


def _pods(resource: Resource, item: Object, context: Context) -> list[Object]:
    spec = facts.spec(item)
    selector = spec.get("selector")
    if resource.title == "services":
        selector = {"matchLabels": selector} if selector else None
    return [
        pod
        for pod in context.items("pods", facts.namespace(item))
        if facts.selects(selector, facts.meta(pod).get("labels") or {})
    ]
