"""What is written of devices before a pod is bound: whose they are, and that they are ready."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.errors import ApiError
from apimachinery.meta import Obj, name_of, namespace_of, revision_of, uid_of
from apimachinery.resourceclaims import FINALIZER, is_allocated, is_reserved_for, users
from nodes.scheduler.devices.conditions import NotBound, is_ready
from nodes.scheduler.devices.extended import Extended
from nodes.scheduler.devices.groupclaims import user_of
from nodes.scheduler.devices.inflight import in_flight, late
from nodes.scheduler.devices.podclaims import CLAIMS
from nodes.scheduler.devices.requests import full_name
from nodes.scheduler.framework import SUCCESS, CycleState, Status, Writer
from nodes.scheduler.podinfo import PodInfo

# So long it may take until a claim that was made is seen.
_SEEN_WITHIN = 120.0


async def write(
    state: CycleState, claim: Obj, pod: PodInfo, allocation: Obj | None, writer: Writer
) -> Obj:
    """Write a claim's devices and whose they are; return it. Raises ApiError, Conflict among
    them.

    Those that another of the pod's group is given are waited for.
    """
    uid, known = uid_of(claim), state.readers[CLAIMS]
    where = namespace_of(claim), name_of(claim)

    def decided() -> bool:
        now = known.get(*where)
        return now is None or is_allocated(now) or uid not in in_flight(state)

    if allocation is None:
        await writer.until(decided, _SEEN_WITHIN)
    # Others may have been let in since the attempt.
    claim = known.get(*where) or claim
    if allocation is None and not is_allocated(claim):
        raise ApiError(f"claim {full_name(claim)} was not allocated")
    if is_reserved_for(claim, pod.obj) and allocation is None:
        return claim
    finalizers = claim["metadata"].get("finalizers") or []
    if allocation is not None and FINALIZER not in finalizers:
        patch: Obj = {"metadata": {"finalizers": [*finalizers, FINALIZER]}}
        claim = await writer.patch(CLAIMS, claim, _at(claim, patch))
    user = user_of(claim, pod, state.readers)
    reserved = [one for one in users(claim) if one.get("uid") != user["uid"]]
    status: Obj = {"reservedFor": [*reserved, user]}
    if allocation is not None:
        status["allocation"] = {**allocation, "allocationTimestamp": writer.now()}
    written = await writer.patch(CLAIMS, claim, _at(claim, {"status": status}), "status")
    if flight := in_flight(state).get(uid):
        flight.written = revision_of(written)
    return written


async def make(
    state: CycleState, extended: Extended, pod: PodInfo, allocation: Obj, writer: Writer
) -> Obj:
    """Make the claim for a pod's extended resources, and say in the pod which it is.

    Raises ApiError; then no claim is left.
    """
    unmade = extended.claim
    metadata = {k: v for k, v in unmade["metadata"].items() if k not in ("name", "uid")}
    made = await writer.create(CLAIMS, {**unmade, "metadata": metadata})
    where = namespace_of(made), name_of(made)
    try:
        await writer.until(lambda: state.readers[CLAIMS].get(*where) is not None, _SEEN_WITHIN)
        if flight := in_flight(state).pop(uid_of(unmade), None):
            flight.claim = made
            in_flight(state)[uid_of(made)] = flight
        written = await write(state, made, pod, allocation, writer)
        told = {"resourceClaimName": name_of(made), "requestMappings": [*extended.mappings]}
        await writer.patch(
            "pods", pod.obj, {"status": {"extendedResourceClaimStatus": told}}, "status"
        )
    except ApiError:
        in_flight(state).pop(uid_of(made), None)
        await writer.patch(CLAIMS, made, without_finalizer(made))
        await writer.delete(CLAIMS, made)
        raise
    return written


def without_finalizer(claim: Obj) -> Obj:
    """Return the patch after which nothing holds a claim that is deleted."""
    held = [one for one in claim["metadata"].get("finalizers") or () if one != FINALIZER]
    return {"metadata": {"finalizers": held or None}}


async def made_ready(
    state: CycleState, claims: Sequence[Obj], writer: Writer, timeout: float
) -> Status:
    """Wait until drivers have made devices ready that have to be."""

    def ready() -> bool:
        reader = state.readers[CLAIMS]
        now = (reader.get(namespace_of(one), name_of(one)) or one for one in claims)
        return all(map(is_ready, now))

    try:
        if await writer.until(ready, timeout):
            return SUCCESS
    except NotBound as error:
        return Status.error(str(error))
    # The next attempt takes them back.
    late(state).update(map(uid_of, claims))
    return Status.error("device binding timeout")


def _at(claim: Obj, patch: Obj) -> Obj:
    """Return a patch that holds for this state of a claim alone."""
    metadata = {**(patch.get("metadata") or {})}
    metadata["resourceVersion"] = claim["metadata"]["resourceVersion"]
    return {**patch, "metadata": metadata}
