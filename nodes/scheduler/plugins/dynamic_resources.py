"""DynamicResources: a pod goes where its claims have their devices, or can have them.

Devices are given to claims in memory first, and written before the pod is bound: the finalizer,
then the allocation together with the reservation for the pod. A claim without devices that is
being given some is not given others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apimachinery.duration import parse_duration
from apimachinery.errors import ApiError
from apimachinery.meta import Obj, name_of, namespace_of, revision_of, uid_of
from apimachinery.nodes import matches_node_selector
from apimachinery.resourceclaims import (
    FINALIZER,
    can_be_reserved,
    is_allocated,
    is_reserved_for,
    reservation,
    users,
)
from nodes.scheduler.devices.allocator import Allocator
from nodes.scheduler.devices.alternatives import alternatives, preference
from nodes.scheduler.devices.conditions import NotBound, fails, has_to_make_ready, is_ready, waits
from nodes.scheduler.devices.inflight import Flight, in_flight, late, taken
from nodes.scheduler.devices.podclaims import (
    CLAIMS,
    claims_of,
    had_devices,
    has_its_claims,
    missing_class,
    other_claim,
)
from nodes.scheduler.devices.pools import gathered
from nodes.scheduler.devices.requests import AllocationError
from nodes.scheduler.framework import (
    SKIP,
    SUCCESS,
    CycleState,
    Event,
    FilterPlugin,
    Hint,
    PostFilterPlugin,
    PreBindPlugin,
    PreEnqueuePlugin,
    PreFilterPlugin,
    PreScorePlugin,
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
            **dict.fromkeys((Event.DEVICE_CLAIM_ADDED, Event.DEVICE_CLAIM_CHANGED), other_claim),
            Event.DEVICE_CLAIM_GONE: had_devices,
            Event.OWN_CLAIMS: has_its_claims,
            **dict.fromkeys((Event.DEVICE_CLASS_ADDED, Event.DEVICE_CLASS_CHANGED), always),
            **dict.fromkeys((Event.DEVICES_ADDED, Event.DEVICES_CHANGED), always),
        }

    def configure(self, args: Mapping[str, Any]) -> None:
        if (given := args.get("bindingTimeout")) is not None:
            self.binding_timeout = parse_duration(given)

    def pre_enqueue(self, pod: PodInfo, readers: Readers) -> Status:
        if not pod.spec.get("resourceClaims"):
            return SUCCESS
        found = claims_of(pod, readers[CLAIMS])
        return Status.unresolvable(found) if isinstance(found, str) else SUCCESS

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        if not pod.spec.get("resourceClaims"):
            return SKIP
        claims = claims_of(pod, state.readers[CLAIMS])
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
            if uid_of(claim) in in_flight(state):
                return Status.unresolvable(
                    f"resource claim {namespace_of(claim)}/{name_of(claim)} is in the process of "
                    "being allocated"
                )
            if why := missing_class(claim, state.readers["deviceclasses"]):
                return Status.unresolvable(why)
            waiting.append(claim)
        if waiting:
            classes = {name_of(one): one for one in state.readers["deviceclasses"].list()}
            pools = gathered(state.readers["resourceslices"].list())
            pools.sort(key=has_to_make_ready)
            found.allocator = Allocator(waiting, classes, pools, taken(state))
        state.data[self.name] = found
        return SUCCESS

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        claims: _Claims = state.data[self.name]
        unavailable = [
            one
            for one in claims.all
            if not _reaches(one, node) or fails(one) or uid_of(one) in late(state)
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
                late(state).discard(uid_of(claim))
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
        in_flight(state).update(
            {
                uid: Flight(claim, allocation)
                for claim, (uid, allocation) in zip(waiting, claims.chosen.items(), strict=True)
            }
        )
        return SUCCESS

    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None:
        claims: _Claims | None = state.data.get(self.name)
        for uid in claims.chosen if claims is not None else ():
            in_flight(state).pop(uid, None)

    def needs_pre_bind(self, state: CycleState, pod: PodInfo) -> bool:
        return self.name in state.data

    async def pre_bind(self, state: CycleState, pod: PodInfo, node: str, writer: Writer) -> Status:
        claims: _Claims = state.data[self.name]
        written = []
        for claim in claims.all:
            try:
                chosen = claims.chosen.get(uid_of(claim))
                now = await self._write(state, claim, pod, chosen, writer)
            except ApiError as error:
                return Status.error(error.message)
            if flight := in_flight(state).get(uid_of(claim)):
                flight.written = revision_of(now)
            written.append(now)
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
        late(state).update(map(uid_of, claims))
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


def _reaches(claim: Obj, node: NodeInfo) -> bool:
    selector = ((claim.get("status") or {}).get("allocation") or {}).get("nodeSelector")
    return selector is None or matches_node_selector(selector, node.obj)


def _at(claim: Obj, patch: Obj) -> Obj:
    """Return a patch that holds for this state of a claim alone."""
    metadata = {**(patch.get("metadata") or {})}
    metadata["resourceVersion"] = claim["metadata"]["resourceVersion"]
    return {**patch, "metadata": metadata}
