"""DynamicResources: a pod goes where its claims have their devices, or can have them.

Devices are given to claims in memory first, and written before the pod is bound: the finalizer,
then the allocation together with the reservation for the pod. A claim without devices that is
being given some is not given others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apimachinery.duration import parse_duration
from apimachinery.errors import ApiError
from apimachinery.meta import Obj, is_controlled_by, is_deleting, name_of, namespace_of, uid_of
from apimachinery.nodes import matches_node_selector
from apimachinery.resourceclaims import (
    FINALIZER,
    can_be_reserved,
    is_allocated,
    is_reserved_for,
    pod_claims,
    reservation,
    users,
)
from nodes.scheduler.devices.allocator import AllocationError, Allocator
from nodes.scheduler.devices.alternatives import alternatives, preference
from nodes.scheduler.devices.conditions import NotBound, fails, has_to_make_ready, is_ready, waits
from nodes.scheduler.devices.pools import DeviceId, gathered
from nodes.scheduler.framework import (
    SKIP,
    SUCCESS,
    Change,
    CycleState,
    Event,
    FilterPlugin,
    Hint,
    PostFilterPlugin,
    PreBindPlugin,
    PreEnqueuePlugin,
    PreFilterPlugin,
    PreScorePlugin,
    Reader,
    Readers,
    ReservePlugin,
    ScorePlugin,
    Scores,
    Status,
    Write,
    Writer,
    always,
    normalized,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

CLAIMS = "resourceclaims"


@dataclass(slots=True)
class _Claims:
    """The claims of a pod, and what was found for them on each node."""

    all: list[Obj]
    allocator: Allocator | None = None
    found: dict[str, list[Obj]] = field(default_factory=dict)
    # Claims with devices that some node does not reach.
    unavailable: dict[str, Obj] = field(default_factory=dict)
    # On the node that was chosen: uid of a claim -> its allocation.
    chosen: dict[str, Obj] = field(default_factory=dict)


class DynamicResources(
    PreEnqueuePlugin,
    PreFilterPlugin,
    FilterPlugin,
    PostFilterPlugin,
    PreScorePlugin,
    ScorePlugin,
    ReservePlugin,
    PreBindPlugin,
):
    """Refuses nodes on which not all claims of a pod can have their devices.

    Of others those are better where requests have the alternatives that they name first.
    """

    name = "DynamicResources"
    # args.bindingTimeout: so long a pod waits for devices that have to be made ready.
    binding_timeout = 600.0

    def hints(self) -> Mapping[Event, Hint]:
        return {
            **dict.fromkeys((Event.NODE_ADDED, Event.NODE_LABELS, Event.NODE_ALLOCATABLE), always),
            **dict.fromkeys((Event.DEVICE_CLAIM_ADDED, Event.DEVICE_CLAIM_CHANGED), _other_claim),
            Event.DEVICE_CLAIM_GONE: _had_devices,
            Event.OWN_CLAIMS: _has_its_claims,
            **dict.fromkeys((Event.DEVICE_CLASS_ADDED, Event.DEVICE_CLASS_CHANGED), always),
            **dict.fromkeys((Event.DEVICES_ADDED, Event.DEVICES_CHANGED), always),
        }

    def configure(self, args: Mapping[str, Any]) -> None:
        if (given := args.get("bindingTimeout")) is not None:
            self.binding_timeout = parse_duration(given)

    def pre_enqueue(self, pod: PodInfo, readers: Readers) -> Status:
        if not pod.spec.get("resourceClaims"):
            return SUCCESS
        found = _claims_of(pod, readers[CLAIMS])
        return Status.unresolvable(found) if isinstance(found, str) else SUCCESS

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        if not pod.spec.get("resourceClaims"):
            return SKIP
        claims = _claims_of(pod, state.readers[CLAIMS])
        if isinstance(claims, str):
            return Status.unresolvable(claims)
        if not claims:
            return SKIP
        found, waiting = _Claims(claims), []
        for claim in claims:
            if is_allocated(claim):
                if not can_be_reserved(claim) and not is_reserved_for(claim, pod.obj):
                    return Status.unresolvable("resourceclaim in use")
                continue
            if uid_of(claim) in _in_flight(state):
                return Status.unresolvable(
                    f"resource claim {namespace_of(claim)}/{name_of(claim)} is in the process of "
                    "being allocated"
                )
            if why := _missing_class(state, claim):
                return Status.unresolvable(why)
            waiting.append(claim)
        if waiting:
            classes = {name_of(one): one for one in state.readers["deviceclasses"].list()}
            pools = gathered(state.readers["resourceslices"].list())
            pools.sort(key=has_to_make_ready)
            found.allocator = Allocator(waiting, classes, pools, _taken(state))
        state.data[self.name] = found
        return SUCCESS

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        claims: _Claims = state.data[self.name]
        unavailable = [
            one
            for one in claims.all
            if not _reaches(one, node) or fails(one) or uid_of(one) in _late(state)
        ]
        if claims.allocator is not None:
            try:
                found = claims.allocator.allocate(node.obj)
            except AllocationError as error:
                return Status.unresolvable(str(error))
            if found is None:
                return Status.unresolvable("cannot allocate all claims")
            claims.found[node.name] = found
        if unavailable:
            claims.unavailable |= {uid_of(one): one for one in unavailable}
            return Status.unresolvable("resourceclaim not available on the node")
        return SUCCESS

    def post_filter(self, state: CycleState, pod: PodInfo) -> tuple[str, tuple[Write, ...]]:
        """Take the devices of a claim back that nobody else uses and that are out of reach."""
        claims: _Claims | None = state.data.get(self.name)
        if claims is None:
            return "no new claims to deallocate", ()
        for claim in claims.unavailable.values():
            others = [one for one in users(claim) if one.get("uid") != pod.uid]
            if not others:
                _late(state).discard(uid_of(claim))
                nothing: Obj = {"allocation": None, "reservedFor": None, "devices": None}
                return (
                    "deallocation of ResourceClaim completed",
                    (Write(CLAIMS, claim, {"status": nothing}, "status"),),
                )
        return "still not schedulable", ()

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status:
        claims: _Claims | None = state.data.get(self.name)
        if claims is None or claims.allocator is None:
            return SKIP
        choosing = any(any(alternatives(claim)) for claim in claims.allocator.claims)
        return SUCCESS if choosing else SKIP

    def scores(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Scores:
        claims: _Claims = state.data[self.name]
        waiting = claims.allocator.claims if claims.allocator is not None else ()
        return [sum(map(preference, waiting, claims.found.get(node.name, ()))) for node in nodes]

    def normalize(self, state: CycleState, pod: PodInfo, scores: Scores) -> Scores:
        return normalized(scores)

    def reserve(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        claims: _Claims | None = state.data.get(self.name)
        if claims is None or claims.allocator is None:
            return SUCCESS
        found = claims.found.get(node.name)
        if found is None:
            return Status.error("claim allocation not found for node " + node.name)
        waiting = claims.allocator.claims
        claims.chosen = {
            uid_of(claim): allocation for claim, allocation in zip(waiting, found, strict=True)
        }
        _in_flight(state).update(
            {
                uid: (namespace_of(claim), name_of(claim), allocation)
                for claim, (uid, allocation) in zip(waiting, claims.chosen.items(), strict=True)
            }
        )
        return SUCCESS

    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None:
        claims: _Claims | None = state.data.get(self.name)
        for uid in claims.chosen if claims is not None else ():
            _in_flight(state).pop(uid, None)

    def needs_pre_bind(self, state: CycleState, pod: PodInfo) -> bool:
        return self.name in state.data

    async def pre_bind(self, state: CycleState, pod: PodInfo, node: str, writer: Writer) -> Status:
        claims: _Claims = state.data[self.name]
        written = []
        for claim in claims.all:
            try:
                chosen = claims.chosen.get(uid_of(claim))
                written.append(await self._write(state, claim, pod, chosen, writer))
            except ApiError as error:
                return Status.error(error.message)
        unready = [claim for claim in written if waits(claim)]
        if not unready:
            return SUCCESS
        note = f"waiting for binding conditions for device on node {node}"
        writer.say(pod, "BindingConditionsPending", note)
        return await self._made_ready(state, unready, writer)

    async def _made_ready(self, state: CycleState, claims: Sequence[Obj], writer: Writer) -> Status:
        """Wait until drivers have made devices ready that have to be."""

        def ready() -> bool:
            reader = state.readers[CLAIMS]
            now = (reader.get(namespace_of(one), name_of(one)) or one for one in claims)
            return all(map(is_ready, now))

        try:
            if await writer.until(ready, self.binding_timeout):
                return SUCCESS
        except NotBound as error:
            return Status.error(str(error))
        # The next attempt takes them back.
        _late(state).update(map(uid_of, claims))
        return Status.error("device binding timeout")

    async def _write(
        self, state: CycleState, claim: Obj, pod: PodInfo, allocation: Obj | None, writer: Writer
    ) -> Obj:
        """Write a claim's devices and whose they are; return it. Raises ApiError, Conflict among
        them.
        """
        # Others may have been let in since the attempt.
        claim = state.readers[CLAIMS].get(namespace_of(claim), name_of(claim)) or claim
        if is_reserved_for(claim, pod.obj) and allocation is None:
            return claim
        finalizers = claim["metadata"].get("finalizers") or []
        if allocation is not None and FINALIZER not in finalizers:
            patch: Obj = {"metadata": {"finalizers": [*finalizers, FINALIZER]}}
            claim = await writer.patch(CLAIMS, claim, _at(claim, patch))
        reserved = [one for one in users(claim) if one.get("uid") != pod.uid]
        status: Obj = {"reservedFor": [*reserved, reservation(pod.obj)]}
        if allocation is not None:
            status["allocation"] = {**allocation, "allocationTimestamp": writer.now()}
        return await writer.patch(CLAIMS, claim, _at(claim, {"status": status}), "status")


def _late(state: CycleState) -> set[str]:
    """Return the uids of claims whose devices were not made ready in time."""
    found: set[str] = state.kept.setdefault(f"{DynamicResources.name}/late", set())
    return found


def _other_claim(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a claim gave devices back, or is the pod's own and came or changed."""
    claims = _claims_of(pod, readers[CLAIMS])
    if isinstance(claims, str):
        return False
    if change.old is not None and is_allocated(change.old) and not is_allocated(change.obj):
        return True
    if uid_of(change.obj) not in map(uid_of, claims):
        return False
    return change.old is None or change.old.get("status") != change.obj.get("status")


def _had_devices(pod: PodInfo, change: Change, readers: Readers) -> bool:
    return is_allocated(change.obj)


def _has_its_claims(pod: PodInfo, change: Change, readers: Readers) -> bool:
    return not isinstance(_claims_of(pod, readers[CLAIMS]), str)


def _at(claim: Obj, patch: Obj) -> Obj:
    """Return a patch that holds for this state of a claim alone."""
    metadata = {**(patch.get("metadata") or {})}
    metadata["resourceVersion"] = claim["metadata"]["resourceVersion"]
    return {**patch, "metadata": metadata}


def _claims_of(pod: PodInfo, reader: Reader) -> list[Obj] | str:
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
        if one.template and not is_controlled_by(claim, pod.obj):
            return (
                f"ResourceClaim {pod.namespace}/{one.claim} was not created for Pod "
                f"{pod.namespace}/{pod.name} (Pod is not owner)"
            )
        found.append(claim)
    return found


def _missing_class(state: CycleState, claim: Obj) -> str:
    for request in ((claim.get("spec") or {}).get("devices") or {}).get("requests") or ():
        exactly = request.get("exactly")
        asked = [exactly] if exactly else request.get("firstAvailable") or ()
        for one in asked:
            name = one.get("deviceClassName") or ""
            if state.readers["deviceclasses"].get("", name) is None:
                request_name = request["name"] if exactly else f"{request['name']}/{one['name']}"
                return f"request {request_name}: device class {name} does not exist"
    return ""


def _reaches(claim: Obj, node: NodeInfo) -> bool:
    selector = ((claim.get("status") or {}).get("allocation") or {}).get("nodeSelector")
    return selector is None or matches_node_selector(selector, node.obj)


def _in_flight(state: CycleState) -> dict[str, tuple[str, str, Obj]]:
    """Return the allocations that are being written: uid -> namespace, name and allocation."""
    found: dict[str, tuple[str, str, Obj]] = state.kept.setdefault(DynamicResources.name, {})
    return found


def _taken(state: CycleState) -> Iterator[DeviceId]:
    """Yield the devices that claims have, or are being given."""
    reader, flying = state.readers[CLAIMS], _in_flight(state)
    allocations: list[Obj] = []
    for claim in reader.list():
        if is_allocated(claim):
            flying.pop(uid_of(claim), None)  # it is written by now
            allocations.append(claim["status"]["allocation"])
    for uid, (namespace, name, allocation) in list(flying.items()):
        claim_now = reader.get(namespace, name)
        if claim_now is None or uid_of(claim_now) != uid:
            del flying[uid]
        else:
            allocations.append(allocation)
    for allocation in allocations:
        yield from _devices(allocation)


def _devices(allocation: Obj) -> Iterator[DeviceId]:
    results: Sequence[Obj] = (allocation.get("devices") or {}).get("results") or ()
    for one in results:
        if not one.get("adminAccess"):
            yield DeviceId(one["driver"], one["pool"], one["device"])
