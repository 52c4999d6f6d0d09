"""Reads the objects among which an object's relations are found."""

from __future__ import annotations

from playground.objects import facts
from playground.objects.discovery import Resource
from playground.objects.facts import Object
from playground.objects.relations import edges
from playground.objects.relations.edges import Key
from playground.objects.summary.parts import Context

# What a cluster-scoped kind is related with; kinds of all namespaces are read for it.
_NEAR = {
    edges.VOLUMES: (edges.CLAIMS, edges.ATTACHMENTS),
    edges.CLASSES: (edges.VOLUMES, edges.CLAIMS),
    edges.ATTACHMENTS: (edges.VOLUMES,),
    "ingressclasses.networking.k8s.io": (edges.INGRESSES,),
    "clusterroles.rbac.authorization.k8s.io": (edges.CLUSTER_BINDINGS, edges.BINDINGS),
}
_BUILT_IN = (".k8s.io", "apps", "batch", "policy", "autoscaling")
# Kinds that a cluster's own definitions add: each is a list to read.
MOST_CUSTOM = 40


def objects(title: str, item: Object, context: Context) -> dict[str, list[Object]]:
    """Return what may be related with an object, by kind, the object itself among them."""
    namespace = facts.namespace(item)
    found: dict[str, list[Object]] = {}
    if namespace:
        for kind in edges.KINDS:
            found[kind] = context.items(kind, namespace)
        if title == "serviceaccounts":
            found[edges.CLUSTER_BINDINGS] = context.items(edges.CLUSTER_BINDINGS)
        for resource in _custom(context, namespaced=True):
            found[resource.title] = context.items(resource.title, namespace)
    elif title == "nodes":
        chosen = f"spec.nodeName={facts.name(item)}"
        found["pods"] = context.items("pods", fieldSelector=chosen)
        found[edges.ATTACHMENTS] = context.items(edges.ATTACHMENTS)
    else:
        for kind in _NEAR.get(title, ()):
            found[kind] = context.items(kind)
        if _is_custom(title):
            for resource in _custom(context, namespaced=False):
                found[resource.title] = context.items(resource.title)
    found[title] = [*_others(found.get(title, []), item), item]
    _bound(found, context)
    return found


def _others(items: list[Object], item: Object) -> list[Object]:
    here = facts.namespace(item), facts.name(item)
    return [one for one in items if (facts.namespace(one), facts.name(one)) != here]


def _bound(found: dict[str, list[Object]], context: Context) -> None:
    """Add the volumes of claims: they belong to no namespace."""
    claims = found.get(edges.CLAIMS, [])
    names = {str(facts.spec(one).get("volumeName") or "") for one in claims} - {""}
    if names and edges.VOLUMES not in found:
        every = context.items(edges.VOLUMES)
        found[edges.VOLUMES] = [one for one in every if facts.name(one) in names]


def _is_custom(title: str) -> bool:
    group = title.partition(".")[2]
    return bool(group) and not group.endswith(_BUILT_IN)


def _custom(context: Context, *, namespaced: bool) -> list[Resource]:
    found = [
        one
        for one in context.resources()
        if one.namespaced == namespaced and _is_custom(one.title) and one.title not in edges.KINDS
    ]
    return found[:MOST_CUSTOM]


def key_of(context: Context, version: str, kind: str, namespace: str, name: str) -> Key | None:
    """Return the key of what an apiVersion and a kind name; None for a kind that is not served."""
    title = context.title_of(version, kind)
    if not title or not name:
        return None
    return title, namespace if context.namespaced(title) else "", name
