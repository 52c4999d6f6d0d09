"""The claims of a pod as they are now, and which changes of them may help it."""

from __future__ import annotations

from apimachinery.meta import Obj, is_controlled_by, is_deleting, uid_of
from apimachinery.resourceclaims import is_allocated, is_made_for, pod_claims
from nodes.scheduler.framework import Change, Reader, Readers
from nodes.scheduler.podinfo import PodInfo

CLAIMS = "resourceclaims"


def claims_of(pod: PodInfo, reader: Reader) -> list[Obj] | str:
    """Return a pod's claims, or why they are not there."""
    found = []
    for one in pod_claims(pod.obj):
        if not one.needed:
            continue
        if not one.claim:
            return f'pod "{pod.namespace}/{pod.name}": ResourceClaim not created yet'
        claim = reader.get(pod.namespace, one.claim)
        if claim is None:
            return f'could not find ResourceClaim "{pod.namespace}/{one.claim}"'
        if is_deleting(claim):
            return f'resourceclaim "{one.claim}" is being deleted'
        if one.template and not is_made_for(claim, pod.obj):
            return (
                f"ResourceClaim {pod.namespace}/{one.claim} was not created for Pod "
                f"{pod.namespace}/{pod.name} (Pod is not owner)"
            )
        found.append(claim)
    return found


def missing_class(claim: Obj, classes: Reader) -> str:
    """Tell of the first class that a claim asks for and that is not there."""
    for request in ((claim.get("spec") or {}).get("devices") or {}).get("requests") or ():
        exactly = request.get("exactly")
        asked = [exactly] if exactly else request.get("firstAvailable") or ()
        for one in asked:
            name = one.get("deviceClassName") or ""
            if classes.get("", name) is None:
                request_name = request["name"] if exactly else f"{request['name']}/{one['name']}"
                return f"request {request_name}: device class {name} does not exist"
    return ""


def other_claim(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a claim gave devices back, or is the pod's own and came or changed."""
    claims = claims_of(pod, readers[CLAIMS])
    if isinstance(claims, str):
        return False
    if change.old is not None and is_allocated(change.old) and not is_allocated(change.obj):
        return True
    if uid_of(change.obj) not in map(uid_of, claims):
        return False
    return change.old is None or change.old.get("status") != change.obj.get("status")


def had_devices(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a claim that is gone leaves devices, or was made for the pod in vain."""
    return is_allocated(change.obj) or is_controlled_by(change.obj, pod.obj)


def has_its_claims(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a pod's claims are all there by now."""
    return not isinstance(claims_of(pod, readers[CLAIMS]), str)
