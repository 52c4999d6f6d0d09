"""Claims that a pod has together with the others of its group: they are the group's as a whole.

While one of them is being given devices, the others use these already.
"""

from __future__ import annotations

from apimachinery.meta import Obj, name_of, uid_of
from apimachinery.resourceclaims import pod_claims, reservation, shared_claims
from nodes.scheduler.devices.inflight import in_flight
from nodes.scheduler.framework import CycleState, Readers
from nodes.scheduler.podinfo import PodInfo


def user_of(claim: Obj, pod: PodInfo, readers: Readers) -> Obj:
    """Return whom a claim is to be reserved for: the pod's group where they share it."""
    group = _group_that_shares(claim, pod, readers)
    return reservation(pod.obj if group is None else group)


def as_given(claim: Obj, pod: PodInfo, state: CycleState) -> Obj:
    """Return a claim, with the devices that another of the group is being given."""
    flight = in_flight(state).get(uid_of(claim))
    if flight is None or _group_that_shares(claim, pod, state.readers) is None:
        return claim
    return {**claim, "status": {**(claim.get("status") or {}), "allocation": flight.allocation}}


def _group_that_shares(claim: Obj, pod: PodInfo, readers: Readers) -> Obj | None:
    reader = readers.get("podgroups")
    if pod.group is None or reader is None or (group := reader.get(*pod.group)) is None:
        return None
    shared = shared_claims(pod.obj, group)
    names = {one.claim for one in pod_claims(pod.obj) if one.name in shared}
    return group if name_of(claim) in names else None
