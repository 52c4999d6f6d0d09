"""Conditions of a CustomResourceDefinition, as the server itself writes them."""

from __future__ import annotations

from typing import NamedTuple

from apimachinery.meta import Obj
from apiserver.registry.table import dig

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


class Condition(NamedTuple):
    """What a condition says."""

    type: str
    status: str
    reason: str
    message: str


PENDING = Condition(
    "Terminating",
    "True",
    "InstanceDeletionPending",
    "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
)
IN_PROGRESS = Condition(
    "Terminating", "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress"
)
COMPLETED = Condition("Terminating", "False", "InstanceDeletionCompleted", "removed all instances")
NEVER_ESTABLISHED = Condition(
    "Terminating", "False", "NeverEstablished", "resource was never established"
)


def is_true(status: Obj, kind: str) -> bool:
    """Tell whether a condition holds."""
    return any(
        one.get("type") == kind and one.get("status") == "True"
        for one in status.get("conditions") or ()
    )


def with_condition(status: Obj, wanted: Condition, now: str) -> Obj:
    """Return a status that has a condition; its time changes with its status alone."""
    conditions: list[Obj] = list(status.get("conditions") or ())
    made: Obj = {
        "lastTransitionTime": now,
        "message": wanted.message,
        "reason": wanted.reason,
        "status": wanted.status,
        "type": wanted.type,
    }
    for at, one in enumerate(conditions):
        if one.get("type") == wanted.type:
            if one.get("status") == wanted.status:
                made["lastTransitionTime"] = one.get("lastTransitionTime") or now
            conditions[at] = made
            return status | {"conditions": conditions}
    return status | {"conditions": [*conditions, made]}


def finalizers_of(crd: Obj) -> list[str]:
    """Return what holds up the deletion of a definition."""
    return list(dig(crd, ("metadata", "finalizers")) or ())
