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
    edges.INGRESS_CLASSES: (edges.INGRESSES,),
    edges.PRIORITIES: (edges.PODS,),
    facts.DEVICE_CLASSES: (facts.DEVICE_CLAIMS, facts.DEVICE_TEMPLATES, edges.PODS),
    edges.CLUSTER_ROLES: (edges.CLUSTER_BINDINGS, edges.BINDINGS),
    edges.CLUSTER_BINDINGS: (edges.CLUSTER_ROLES,),
    **{policies: (bindings,) for bindings, policies in edges.ADMISSION_BINDINGS.items()},
    **{bindings: (policies,) for bindings, policies in edges.ADMISSION_BINDINGS.items()},
}
# What an object of a namespace is related with beyond that.
_BEYOND = {
    edges.BINDINGS: (edges.CLUSTER_ROLES,),
    edges.CLAIMS: (edges.CLASSES,),
    edges.INGRESSES: (edges.INGRESS_CLASSES,),
    facts.DEVICE_CLAIMS: (facts.DEVICE_CLASSES,),
    facts.DEVICE_TEMPLATES: (facts.DEVICE_CLASSES,),
    "serviceaccounts": (edges.CLUSTER_BINDINGS,),
    "services": (*edges.WEBHOOKS, edges.API_SERVICES),
}
_BUILT_IN = (".k8s.io", "apps", "batch", "policy", "autoscaling")
# Kinds that a cluster's own definitions add: each is a list to read.
MOST_CUSTOM = 40


def objects(title: str, item: Object, context: Context) -> dict[str, list[Object]]:
    """Return what may be related with an object, by kind, the object itself among them."""
    namespace = facts.namespace(item)
    if namespace:
        found = _in_namespace(title, namespace, context)
    elif title == "nodes":
        chosen = f"spec.nodeName={facts.name(item)}"
        found = {"pods": context.items("pods", fieldSelector=chosen)}
        found[edges.ATTACHMENTS] = context.items(edges.ATTACHMENTS)
    else:
        found = _in_cluster(title, item, context)
    if _is_custom(title):
        definition = context.one(edges.DEFINITIONS, "", title)
        found[edges.DEFINITIONS] = [definition] if definition else []
    found[title] = [*_others(found.get(title, []), item), item]
    _bound(found, context)
    return found


def _in_namespace(title: str, namespace: str, context: Context) -> dict[str, list[Object]]:
    found = {kind: context.items(kind, namespace) for kind in edges.KINDS}
    for kind in _BEYOND.get(title, ()):
        found[kind] = context.items(kind)
    if title == "serviceaccounts":
        # Other namespaces may give it rights, too.
        found[edges.BINDINGS] = context.items(edges.BINDINGS) or found[edges.BINDINGS]
    for resource in _custom(context, namespaced=True):
        found[resource.title] = context.items(resource.title, namespace)
    return found


def _in_cluster(title: str, item: Object, context: Context) -> dict[str, list[Object]]:
    custom = _custom(context, namespaced=False) if _is_custom(title) else ()
    near = (*_NEAR.get(title, ()), *(one.title for one in custom))
    found = {kind: context.items(kind) for kind in near}
    claim = facts.spec(item).get("claimRef") or {}
    if title == edges.VOLUMES and claim.get("namespace"):
        found[edges.PODS] = context.items(edges.PODS, str(claim["namespace"]))
    if title == edges.DEFINITIONS:
        found[facts.name(item)] = context.items(facts.name(item))
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
