"""What an object has to do with others: owners, what it owns, selects, needs, and what needs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from playground.objects import facts
from playground.objects.actions.draining import covering
from playground.objects.facts import Object
from playground.objects.summary.network import SERVICE_OF
from playground.objects.summary.parts import Cell, Context

# More than this are a list, not a picture.
DRAWN = 300
DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Relation:
    """Objects that are related in one way; `level` is how far down what owns what."""

    title: str
    cells: tuple[Cell, ...]
    level: int = 0
    more: int = 0


def of(title: str, item: Object, context: Context) -> list[Relation]:
    """Return an object's relations: where it comes from first, then what hangs on it."""
    found: list[Relation] = []
    for name, cells in (
        (_("Belongs to"), list(_owners(item, context))),
        *_owned(title, item, context),
        *_about(title, item, context),
    ):
        if cells:
            found.append(Relation(name, tuple(cells[:DRAWN]), more=max(0, len(cells) - DRAWN)))
    return found


Named = tuple[str, list[Cell]]


def _owners(item: Object, context: Context) -> Iterator[Cell]:
    """Yield the chain of owners, the nearest first."""
    namespace = facts.namespace(item)
    seen: set[str] = set()
    here: Object | None = item
    while here is not None and len(seen) < DEEPEST:
        references = facts.meta(here).get("ownerReferences") or ()
        here = None
        for reference in references:
            if reference.get("uid") in seen:
                continue
            seen.add(str(reference.get("uid")))
            yield context.to_reference(reference, namespace)
            title = context.title_of(
                str(reference.get("apiVersion") or ""), str(reference.get("kind") or "")
            )
            if reference.get("controller") and title:
                here = context.one(title, namespace, str(reference.get("name") or ""))


_CHILDREN = (
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "pods",
    "services",
    "endpointslices.discovery.k8s.io",
    "controllerrevisions.apps",
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
)


def _owned(title: str, item: Object, context: Context) -> Iterator[Named]:
    """Yield what the object owns, level by level, by kind."""
    namespace = facts.namespace(item)
    uids = {str(facts.meta(item).get("uid"))}
    if not namespace or title in ("pods", "events"):
        return
    for _level in range(DEEPEST):
        below: set[str] = set()
        for kind in _CHILDREN:
            children = facts.owned_by(context.items(kind, namespace), uids)
            below.update(str(facts.meta(one).get("uid")) for one in children)
            if children:
                name = _("Owns: %(kind)s") % {"kind": kind.partition(".")[0]}
                yield name, [context.to(kind, namespace, facts.name(one)) for one in children]
        if not below:
            return
        uids = below


_PLURALS = {
    "ServiceAccount": "serviceaccounts",
    "ConfigMap": "configmaps",
    "Secret": "secrets",
    "PersistentVolumeClaim": "persistentvolumeclaims",
}


def _about(title: str, item: Object, context: Context) -> Iterator[Named]:
    if title == "pods":
        yield from _of_pod(item, context)
    elif title == "services":
        yield from _of_service(item, context)
    elif title in _PLURALS.values():
        yield _("Used by"), _users(title, item, context)
    selector = facts.spec(item).get("selector")
    if title != "services" and isinstance(selector, dict) and title != "pods":
        chosen = {"matchLabels": selector} if "matchLabels" not in selector else selector
        yield _("Selects"), _selected(chosen, item, context)


def _of_pod(pod: Object, context: Context) -> Iterator[Named]:
    namespace, labels = facts.namespace(pod), facts.meta(pod).get("labels") or {}
    node = str(facts.spec(pod).get("nodeName") or "")
    yield _("Runs on"), [context.to("nodes", "", node)] if node else []
    needs = [
        Cell(f"{kind} {name}", link=context.link(_PLURALS[kind], namespace, name), remark=use)
        for kind, name, use in dict.fromkeys(facts.references(pod))
        if name
    ]
    yield _("Needs"), needs
    services = [
        one
        for one in context.items("services", namespace)
        if facts.spec(one).get("selector")
        and facts.selects({"matchLabels": facts.spec(one)["selector"]}, labels)
    ]
    yield _("Selected by Services"), [_to(context, "services", one) for one in services]
    policies = [
        one
        for one in context.items("networkpolicies.networking.k8s.io", namespace)
        if facts.selects(facts.spec(one).get("podSelector") or {}, labels)
    ]
    kind = "networkpolicies.networking.k8s.io"
    yield _("Selected by NetworkPolicies"), [_to(context, kind, one) for one in policies]
    budgets = covering(context.items("poddisruptionbudgets.policy", namespace), pod)
    kind = "poddisruptionbudgets.policy"
    yield _("Protected by"), [_to(context, kind, one) for one in budgets]


def _of_service(item: Object, context: Context) -> Iterator[Named]:
    namespace = facts.namespace(item)
    selector = facts.spec(item).get("selector")
    if selector:
        yield _("Selects"), _selected({"matchLabels": selector}, item, context)
    kind = "endpointslices.discovery.k8s.io"
    slices = [
        one
        for one in context.items(kind, namespace)
        if (facts.meta(one).get("labels") or {}).get(SERVICE_OF) == facts.name(item)
    ]
    yield _("Endpoints"), [_to(context, kind, one) for one in slices]


def _selected(selector: Object, item: Object, context: Context) -> list[Cell]:
    namespace = facts.namespace(item)
    return [
        _to(context, "pods", pod)
        for pod in context.items("pods", namespace)
        if facts.selects(selector, facts.meta(pod).get("labels") or {})
    ]


def _users(title: str, item: Object, context: Context) -> list[Cell]:
    kind = next(kind for kind, plural in _PLURALS.items() if plural == title)
    return [
        _to(context, "pods", pod)
        for pod in context.items("pods", facts.namespace(item))
        if any(k == kind and n == facts.name(item) for k, n, _use in facts.references(pod))
    ]


def _to(context: Context, title: str, item: Object) -> Cell:
    return context.to(title, facts.namespace(item), facts.name(item))
