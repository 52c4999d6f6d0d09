"""Deletions that do not end: finalizers that nobody takes away, namespaces that are not empty."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.utils.translation import gettext as _

from apimachinery.meta import is_deleting
from apimachinery.workloads import GROUP_FINALIZER
from playground.objects.facts import GROUPS
from playground.why.causes import groups
from playground.why.causes.facts import (
    condition,
    first_pods,
    meta,
    name,
    namespace,
    ready,
    shown,
    users,
    words,
)
from playground.why.model import Cause, Fix, Object, Ref, World

# Those of Kubernetes' own controllers, which take them away when their condition holds.
_OWN = {
    "kubernetes.io/pvc-protection": "pods",
    "kubernetes.io/pv-protection": "persistentvolumeclaims",
    "foregroundDeletion": "",
    "orphan": "",
    "batch.kubernetes.io/job-tracking": "",
    GROUP_FINALIZER: "pods",
}
_KINDS = {
    "Pod": "pods",
    "Namespace": "namespaces",
    "PersistentVolumeClaim": "persistentvolumeclaims",
}

_REMAINING = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
)


def waits_for_finalizers(obj: Object, world: World) -> Iterator[Cause]:
    """An object that is deleted stays until its list of finalizers is empty."""
    finalizers = list(meta(obj).get("finalizers") or ())
    if not is_deleting(obj) or not finalizers:
        return
    waits_for = _users(world, obj, finalizers)
    foreign = [one for one in finalizers if one not in _OWN]
    kind = str(obj.get("kind") or "")
    yield Cause(
        _("It is being deleted, and stays until its finalizers are gone: %(names)s.")
        % {"names": ", ".join(finalizers)},
        condition=f"metadata.deletionTimestamp={meta(obj)['deletionTimestamp']}",
        rule=_(
            "The API removes an object with finalizers only once whoever set them took them out."
        ),
        fixes=(*_let_go(waits_for), *_without(kind, obj, foreign, finalizers)),
        leads_to=tuple(waits_for),
    )


def _users(world: World, obj: Object, finalizers: list[str]) -> list[Ref]:
    """Return the pods that use what is to go."""
    if "kubernetes.io/pvc-protection" in finalizers:
        return users(world, obj)
    if GROUP_FINALIZER in finalizers:
        found = groups.members(world, Ref(GROUPS, namespace(obj), name(obj)))
        return list(first_pods(found))
    return []


def _let_go(pods: list[Ref]) -> Iterator[Fix]:
    """Say that those have to go first who use it."""
    if pods:
        names = [one.name for one in pods]
        yield Fix(
            _("Delete the pods that use it, or let them end: %(names)s.")
            % {"names": ", ".join(names)},
            f"kubectl delete pod {' '.join(names)} -n {pods[0].namespace}",
        )


def _without(kind: str, obj: Object, foreign: list[str], every: list[str]) -> Iterator[Fix]:
    if not foreign:
        return
    where = f" -n {namespace(obj)}" if namespace(obj) else ""
    title = _KINDS.get(kind, "")
    # By name, where the kind takes it: those of Kubernetes' own come and go meanwhile.
    by_name = {"$deleteFromPrimitiveList/finalizers": foreign}
    whole = {"finalizers": [one for one in every if one not in foreign] or None}
    patch = {"metadata": by_name if title else whole}
    how = "" if title else " --type=merge"
    body = json.dumps(patch, separators=(",", ":"))
    yield Fix(
        _("Take them away by hand, if whoever set them is gone: what they would do is not done."),
        f"kubectl patch {kind.lower()} {name(obj)}{where}{how} -p '{body}'",
        Ref(title, namespace(obj), name(obj)) if title else None,
        patch if title else None,
    )


def namespace_is_not_empty(obj: Object, world: World) -> Iterator[Cause]:
    """A namespace goes when everything in it has gone."""
    if not is_deleting(obj):
        return
    found = [one for kind in _REMAINING if (one := condition(obj, kind)).get("status") == "True"]
    if not found:
        return
    yield Cause(
        _("The namespace is being deleted, and something in it is still there."),
        condition=", ".join(map(shown, found)),
        verbatim=" ".join(map(words, found)),
        rule=_("A namespace is removed once nothing is left in it."),
        leads_to=tuple(_left(obj, world)),
    )


def _left(obj: Object, world: World) -> Iterator[Ref]:
    for title in ("pods", "persistentvolumeclaims", "configmaps", "secrets", "services"):
        for item in world.items(title, name(obj)):
            if meta(item).get("finalizers") or (title == "pods" and not ready(item)):
                yield Ref(title, name(obj), name(item))
