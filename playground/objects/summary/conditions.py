"""Conditions, explained: what each type means, and whether it is as one would wish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from playground.objects import facts
from playground.objects.reading import Object


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as a page shows it."""

    type: str
    status: str
    state: str
    reason: str
    message: str
    changed: str
    meaning: str


# What a condition means; those that are bad when they are true stand in _UNWANTED.
_MEANINGS: dict[str, dict[str, str | Promise]] = {
    "Pod": {
        "PodScheduled": _("a node has been chosen"),
        "PodReadyToStartContainers": _("its sandbox and network are set up"),
        "Initialized": _("its init containers have ended well"),
        "ContainersReady": _("all containers pass their readiness probes"),
        "Ready": _("Services may send to it"),
        "DisruptionTarget": _("it is about to be ended by an eviction or preemption"),
        "PodResizePending": _("a change of its resources waits"),
        "PodResizeInProgress": _("a change of its resources is being made"),
    },
    "Node": {
        "Ready": _("its kubelet reports and can run pods"),
        "MemoryPressure": _("its memory runs short: pods are evicted"),
        "DiskPressure": _("its disk runs full: pods are evicted, images removed"),
        "PIDPressure": _("it has too many processes"),
        "NetworkUnavailable": _("its network is not set up"),
    },
    "Deployment": {
        "Available": _("enough pods are available"),
        "Progressing": _("the rollout goes on, or is complete"),
        "ReplicaFailure": _("a pod could not be made or deleted"),
    },
    "ReplicaSet": {"ReplicaFailure": _("a pod could not be made or deleted")},
    "Job": {
        "Complete": _("it has ended well"),
        "Failed": _("it was given up"),
        "Suspended": _("it runs no pods until it is resumed"),
        "SuccessCriteriaMet": _("enough has been done; pods that run are ended"),
        "FailureTarget": _("it is about to be given up"),
    },
    "PodGroup": {"PodGroupScheduled": _("as many of its pods as are needed have nodes")},
    "HorizontalPodAutoscaler": {
        "AbleToScale": _("it can read and change the number of replicas"),
        "ScalingActive": _("it has metrics to go by"),
        "ScalingLimited": _("it wants more or fewer than its limits allow"),
    },
    "PersistentVolumeClaim": {
        "Resizing": _("its volume is growing"),
        "FileSystemResizePending": _("the file system grows when a pod mounts it"),
    },
    "PodDisruptionBudget": {"DisruptionAllowed": _("a pod may be evicted now")},
    "CustomResourceDefinition": {
        "Established": _("the API serves the kind"),
        "NamesAccepted": _("no other kind has its names"),
        "NonStructuralSchema": _("its schema is not structural"),
        "Terminating": _("its objects are being deleted"),
    },
    "APIService": {"Available": _("the server behind it answers")},
    "Namespace": {
        "NamespaceDeletionDiscoveryFailure": _("not all kinds could be listed"),
        "NamespaceDeletionContentFailure": _("something in it could not be deleted"),
        "NamespaceContentRemaining": _("there is still something in it"),
        "NamespaceFinalizersRemaining": _("something in it waits for finalizers"),
    },
}
_UNWANTED = {
    "MemoryPressure",
    "DiskPressure",
    "PIDPressure",
    "NetworkUnavailable",
    "ReplicaFailure",
    "Failed",
    "FailureTarget",
    "DisruptionTarget",
    "ScalingLimited",
    "NonStructuralSchema",
    "Terminating",
    "Suspended",
    "Stalled",
    "Degraded",
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
}


def conditions(item: Object) -> list[Condition]:
    """Return an object's conditions: what is not as wished first, then the latest."""
    found = facts.status(item).get("conditions") or ()
    kind = str(item.get("kind") or "")
    made = [_read(kind, one) for one in found if isinstance(one, Mapping)]
    made.sort(key=lambda one: one.changed, reverse=True)
    return sorted(made, key=lambda one: one.state == "good")


def _read(kind: str, one: Mapping[str, Any]) -> Condition:
    type_, status = str(one.get("type") or ""), str(one.get("status") or "")
    wished = "False" if type_ in _UNWANTED else "True"
    state = "waiting" if status == "Unknown" else "good" if status == wished else "bad"
    return Condition(
        type=type_,
        status=status,
        state=state,
        reason=str(one.get("reason") or ""),
        message=str(one.get("message") or ""),
        changed=str(one.get("lastTransitionTime") or ""),
        meaning=_meaning(kind, type_, status),
    )


def _meaning(kind: str, type_: str, status: str) -> str:
    """Return what a condition says: what it stands for, or that this is not so, or not known."""
    meaning = _MEANINGS.get(kind, {}).get(type_)
    if meaning is None or status == "True":
        return str(meaning or "")
    said = gettext("not so: %(meaning)s") if status == "False" else gettext("unknown: %(meaning)s")
    return said % {"meaning": meaning}
