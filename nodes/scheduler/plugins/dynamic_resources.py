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
from apimachinery.meta import Obj, name_of, uid_of
from apimachinery.nodes import matches_node_selector
from apimachinery.resourceclaims import (
    can_be_reserved,
    is_allocated,
    is_reserved_for,
    users,
)
from nodes.scheduler.devices.allocator import Allocator
from nodes.scheduler.devices.alternatives import alternatives, preference
from nodes.scheduler.devices.conditions import fails, has_to_make_ready, waits
from nodes.scheduler.devices.extended import Extended, build, made_for, on_node, stand_ins
from nodes.scheduler.devices.groupclaims import as_given
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
from nodes.scheduler.devices.requests import AllocationError, full_name
from nodes.scheduler.devices.tainting import tainted_slices
from nodes.scheduler.devices.writing import made_ready, make, without_finalizer, write
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

# Of so many nodes it is told why their devices do not do.
_EXPLAINED = 3


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
    # What the pod asks for that devices may stand for, and a claim for it of an earlier attempt.
    resources: Mapping[str, str] = field(default_factory=dict)
    stale: Obj | None = None
    # The claim for it on each node, and for each choice of resources.
    extended: dict[str, Extended] = field(default_factory=dict)
    built: dict[tuple[str, ...], Extended] = field(default_factory=dict)

    def claim_on(self, node: NodeInfo, pod: PodInfo) -> Sequence[Obj]:
        """Return the claim for what the pod asks for and the node has none of, if there is any."""
        lacking = on_node(self.resources, node)
        if not lacking:
            return ()
        if (key := tuple(lacking)) not in self.built:
            self.built[key] = build(pod, lacking)
        self.extended[node.name] = self.built[key]
        return (self.built[key].claim,)

    def waiting(self, node: str) -> Sequence[Obj]:
        """Return the claims that are to have devices on a node."""
        if self.allocator is None:
            return ()
        extended = self.extended.get(node)
        return [*self.allocator.claims, *((extended.claim,) if extended is not None else ())]


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
        resources = stand_ins(state, pod)
        if not (resources or pod.spec.get("resourceClaims")):
            return SKIP
        claims = claims_of(pod, state.readers[CLAIMS])
        if isinstance(claims, str):
            return Status.unresolvable(claims)
        if not (claims or resources):
            return SKIP
        claims = [as_given(one, pod, state) for one in claims]
        waiting = _without_devices(state, pod, claims)
        if isinstance(waiting, str):
            return Status.unresolvable(waiting)
        found = _Claims(claims, resources=resources)
        if resources:
            found.stale = made_for(pod, state.readers[CLAIMS])
        if waiting or resources:
            classes = {name_of(one): one for one in state.readers["deviceclasses"].list()}
            pools = gathered(tainted_slices(state))
            pools.sort(key=has_to_make_ready)
            found.allocator = Allocator(waiting, classes, pools, taken(state))
        state.data[self.name] = found
        return SUCCESS

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        claims: _Claims = state.data[self.name]
        if claims.stale is not None:
            return Status.unresolvable("cannot schedule extended resource claim")
        unavailable = [
            one
            for one in claims.all
            if not _reaches(one, node) or fails(one) or uid_of(one) in late(state)
        ]
        if claims.allocator is not None:
            more = claims.claim_on(node, pod)
            try:
                found = claims.allocator.allocate(node.obj, more)
                if found is None and len(state.lacks) < _EXPLAINED:
                    state.lacks[node.name] = claims.allocator.lacks(node.obj, more)
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
        if claims.stale is not None:
            patch = without_finalizer(claims.stale)
            gone = Write(CLAIMS, claims.stale, patch, last=True)
            return "deletion of ResourceClaim completed", (gone,)
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
        waiting = claims.waiting(node.name) if claims is not None else ()
        if claims is None or not waiting:
            return SUCCESS
        found = claims.found.get(node.name)
        if found is None:
            return Status.error("claim allocation not found for node " + node.name)
        for claim, allocation in zip(waiting, found, strict=True):
            claims.chosen[uid_of(claim)] = allocation
            in_flight(state)[uid_of(claim)] = Flight(claim, allocation)
        return SUCCESS

    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None:
        claims: _Claims | None = state.data.get(self.name)
        for uid in claims.chosen if claims is not None else ():
            in_flight(state).pop(uid, None)

    def needs_pre_bind(self, state: CycleState, pod: PodInfo) -> bool:
        return self.name in state.data

    async def pre_bind(self, state: CycleState, pod: PodInfo, node: str, writer: Writer) -> Status:
        claims: _Claims = state.data[self.name]
        written, extended = [], claims.extended.get(node)
        try:
            for claim in claims.all:
                chosen = claims.chosen.get(uid_of(claim))
                written.append(await write(state, claim, pod, chosen, writer))
            if extended is not None:
                chosen = claims.chosen[uid_of(extended.claim)]
                written.append(await make(state, extended, pod, chosen, writer))
        except ApiError as error:
            return Status.error(error.message)
        unready = [claim for claim in written if waits(claim)]
        if not unready:
            return SUCCESS
        note = f"waiting for binding conditions for device on node {node}"
        writer.say(pod, "BindingConditionsPending", note)
        return await made_ready(state, unready, writer, self.binding_timeout)


def _without_devices(state: CycleState, pod: PodInfo, claims: Sequence[Obj]) -> list[Obj] | str:
    """Return the claims that are to have devices, or why the pod cannot use one of all."""
    waiting = []
    for claim in claims:
        if is_allocated(claim):
            if not can_be_reserved(claim) and not is_reserved_for(claim, pod.obj):
                return "resourceclaim in use"
            continue
        if uid_of(claim) in in_flight(state):
            name = full_name(claim)
            return f"resource claim {name} is in the process of being allocated"
        if why := missing_class(claim, state.readers["deviceclasses"]):
            return why
        waiting.append(claim)
    return waiting


def _reaches(claim: Obj, node: NodeInfo) -> bool:
    selector = ((claim.get("status") or {}).get("allocation") or {}).get("nodeSelector")
    return selector is None or matches_node_selector(selector, node.obj)
