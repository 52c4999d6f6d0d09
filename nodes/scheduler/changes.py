"""What a change of an object means to the scheduler: none, one or several events.

As NodeSchedulingPropertiesChange and PodSchedulingPropertiesChange of v1.36 tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from apimachinery.meta import Obj, labels_of
from apimachinery.nodes import declared_features, is_unschedulable, taints_of
from nodes.client import resources
from nodes.client.resources import Res
from nodes.scheduler.framework import Event
from nodes.scheduler.podinfo import PodInfo


class Meaning(NamedTuple):
    """What it means when an object is added, changed, gone; None: nothing."""

    added: Event | None = None
    changed: Event | None = None
    gone: Event | None = None


# Objects beside pods and nodes.
OTHERS: tuple[tuple[Res, Meaning], ...] = (
    (resources.PERSISTENTVOLUMECLAIMS, Meaning(Event.CLAIM_ADDED, Event.CLAIM_CHANGED)),
    (resources.PERSISTENTVOLUMES, Meaning(Event.VOLUME_ADDED, Event.VOLUME_CHANGED)),
    (resources.STORAGECLASSES, Meaning(Event.CLASS_ADDED, Event.CLASS_CHANGED)),
    (resources.CSINODES, Meaning(Event.CSINODE_ADDED, Event.CSINODE_CHANGED)),
    (resources.CSIDRIVERS, Meaning(changed=Event.DRIVER_CHANGED)),
    (
        resources.CSISTORAGECAPACITIES,
        Meaning(Event.CAPACITY_ADDED, Event.CAPACITY_CHANGED),
    ),
    (resources.VOLUMEATTACHMENTS, Meaning(gone=Event.ATTACHMENT_GONE)),
    (
        resources.RESOURCECLAIMS,
        Meaning(Event.DEVICE_CLAIM_ADDED, Event.DEVICE_CLAIM_CHANGED, Event.DEVICE_CLAIM_GONE),
    ),
    (resources.DEVICECLASSES, Meaning(Event.DEVICE_CLASS_ADDED, Event.DEVICE_CLASS_CHANGED)),
    (resources.RESOURCESLICES, Meaning(Event.DEVICES_ADDED, Event.DEVICES_CHANGED)),
)


def of_node(old: Obj, new: Obj) -> Iterator[Event]:
    """Yield what has changed of a node."""
    uncordoned = is_unschedulable(old) and not is_unschedulable(new)
    if uncordoned or taints_of(old) != taints_of(new):
        yield Event.NODE_TAINTS
    if labels_of(old) != labels_of(new):
        yield Event.NODE_LABELS
    if _status(old).get("allocatable") != _status(new).get("allocatable"):
        yield Event.NODE_ALLOCATABLE
    if declared_features(old) != declared_features(new):
        yield Event.NODE_FEATURES


def of_assigned(old: Obj, new: Obj) -> Iterator[Event]:
    """Yield what has changed of a pod that has a node."""
    if labels_of(old) != labels_of(new):
        yield Event.POD_LABELS
    if _scaled_down(old, new):
        yield Event.POD_SCALED_DOWN


def of_unscheduled(old: Obj, new: Obj) -> Iterator[Event]:
    """Yield what has changed of a pod that waits for a node."""
    before, after = old["spec"], new["spec"]
    if labels_of(old) != labels_of(new):
        yield Event.OWN_LABELS
    if _scaled_down(old, new):
        yield Event.OWN_SCALED_DOWN
    if before.get("schedulingGates") and not after.get("schedulingGates"):
        yield Event.OWN_GATES
    # Tolerations can be added to a pod, and no more.
    if len(before.get("tolerations") or ()) != len(after.get("tolerations") or ()):
        yield Event.OWN_TOLERATIONS
    if _status(old).get("resourceClaimStatuses") != _status(new).get("resourceClaimStatuses"):
        yield Event.OWN_CLAIMS


def _scaled_down(old: Obj, new: Obj) -> bool:
    if old["spec"] is new["spec"]:
        return False
    asked = dict(PodInfo.of(new).requests.amounts)
    return any(amount > asked.get(name, 0) for name, amount in PodInfo.of(old).requests.amounts)


def _status(obj: Obj) -> Obj:
    found: Obj = obj.get("status") or {}
    return found
