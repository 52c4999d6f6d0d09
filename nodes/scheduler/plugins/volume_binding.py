"""VolumeBinding: a pod goes where its volumes are, or can be.

A claim of a class with WaitForFirstConsumer is bound by the scheduler's choice. Before the pod is
bound, a volume that is there is given to the claim, or the claim is told the node where one has to
be made; the pod waits until its volumes are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apimachinery.errors import ApiError, NotFound
from apimachinery.gvk import GroupResource
from apimachinery.meta import Obj, annotations_of, is_deleting, name_of, namespace_of, revision_of
from apimachinery.volumes import (
    BOUND_BY_CONTROLLER,
    SELECTED_NODE,
    best_match,
    claim_names,
    class_of,
    reaches,
    waits_for_consumer,
)
from nodes.client.events import reference
from nodes.scheduler.framework import (
    SKIP,
    SUCCESS,
    Change,
    CycleState,
    Event,
    FilterPlugin,
    Hint,
    PreBindPlugin,
    PreFilterPlugin,
    Readers,
    ReservePlugin,
    Status,
    Writer,
    always,
    is_its_claim,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.storagecapacity import has_grown, has_room, tells_no_more

_NOT_THERE = "node(s) didn't match PersistentVolume's node affinity"
_NONE_TO_BIND = "node(s) didn't find available persistent volumes to bind"
_NO_ROOM = "node(s) did not have enough free storage"
_LOST = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
_CLAIMS = GroupResource("", "persistentvolumeclaims")
_NO_PROVISIONER = "kubernetes.io/no-provisioner"
_MIGRATED = "storage.alpha.kubernetes.io/migrated-plugins"


@dataclass(slots=True)
class _Claims:
    """The claims of a pod: those that have their volume, and those that wait for the choice."""

    bound: list[Obj] = field(default_factory=list)
    waiting: list[Obj] = field(default_factory=list)
    # On the node that was chosen: claim name -> the volume that it gets, None: one is made.
    chosen: dict[str, Obj | None] = field(default_factory=dict)


class VolumeBinding(PreFilterPlugin, FilterPlugin, ReservePlugin, PreBindPlugin):
    """Refuses pods whose claims are missing, being deleted, or unbound without being waited for.

    Then refuses nodes that a volume does not reach, or for which none is there or can be made.
    """

    name = "VolumeBinding"
    # args.bindTimeoutSeconds: so long a pod waits for its volumes.
    bind_timeout = 600.0

    def hints(self) -> Mapping[Event, Hint]:
        return {
            Event.CLAIM_ADDED: is_its_claim,
            Event.CLAIM_CHANGED: is_its_claim,
            Event.CLASS_ADDED: always,
            Event.CLASS_CHANGED: _other_topologies,
            Event.VOLUME_ADDED: always,
            Event.VOLUME_CHANGED: always,
            Event.NODE_ADDED: always,
            Event.NODE_LABELS: always,
            Event.CSINODE_ADDED: always,
            Event.CSINODE_CHANGED: _other_migrations,
            Event.DRIVER_CHANGED: tells_no_more,
            Event.CAPACITY_ADDED: always,
            Event.CAPACITY_CHANGED: has_grown,
        }

    def configure(self, args: Mapping[str, Any]) -> None:
        self.bind_timeout = float(args["bindTimeoutSeconds"])

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        names = claim_names(pod.obj) if pod.spec.get("volumes") else ()
        if not names:
            return SKIP
        found = _Claims()
        for name in names:
            claim = state.readers["persistentvolumeclaims"].get(pod.namespace, name)
            if claim is None:
                return Status.unresolvable(f'persistentvolumeclaim "{name}" not found')
            if is_deleting(claim):
                return Status.unresolvable(f'persistentvolumeclaim "{name}" is being deleted')
            if claim["spec"].get("volumeName"):
                found.bound.append(claim)
            elif waits_for_consumer(_class(state, claim)):
                found.waiting.append(claim)
            else:
                return Status.unresolvable("pod has unbound immediate PersistentVolumeClaims")
        state.data[self.name] = found
        return SUCCESS

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        claims: _Claims = state.data[self.name]
        reasons = []
        volumes = [
            state.readers["persistentvolumes"].get("", claim["spec"]["volumeName"])
            for claim in claims.bound
        ]
        if any(volume is not None and not reaches(volume, node.obj) for volume in volumes):
            reasons.append(_NOT_THERE)
        if claims.waiting and isinstance(why := self._choose(state, claims.waiting, node), str):
            reasons.append(why)
        if None in volumes:
            reasons.append(_LOST)
        return Status.unresolvable(*reasons) if reasons else SUCCESS

    def reserve(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        claims: _Claims | None = state.data.get(self.name)
        if claims is None or not claims.waiting:
            return SUCCESS
        chosen = self._choose(state, claims.waiting, node)
        if isinstance(chosen, str):
            return Status.unresolvable(chosen)
        claims.chosen = chosen
        for claim, volume in chosen.items():
            if volume is not None:
                _taken(state)[name_of(volume)] = (pod.namespace, claim)
        return SUCCESS

    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None:
        claims: _Claims | None = state.data.get(self.name)
        for volume in claims.chosen.values() if claims else ():
            if volume is not None:
                _taken(state).pop(name_of(volume), None)

    def _choose(
        self, state: CycleState, claims: Sequence[Obj], node: NodeInfo
    ) -> dict[str, Obj | None] | str:
        """Return the volume of each claim on a node, or why one cannot have any."""
        volumes = state.readers["persistentvolumes"].list()
        chosen: dict[str, Obj | None] = {}
        for claim in claims:
            selected = annotations_of(claim).get(SELECTED_NODE)
            if selected and selected != node.name:
                return _NONE_TO_BIND
            key = (namespace_of(claim), name_of(claim))
            free = (v for v in volumes if _taken(state).get(name_of(v), key) == key)
            volume = None if selected else best_match(free, claim, node.obj, delayed=True)
            if volume is None and (why := _not_made(state, claim, node)):
                return why
            chosen[name_of(claim)] = volume
            volumes = [one for one in volumes if one is not volume]
        return chosen

    def needs_pre_bind(self, state: CycleState, pod: PodInfo) -> bool:
        claims: _Claims | None = state.data.get(self.name)
        return claims is not None and bool(claims.waiting)

    async def pre_bind(self, state: CycleState, pod: PodInfo, node: str, writer: Writer) -> Status:
        claims: _Claims = state.data[self.name]
        for claim in claims.waiting:
            volume = claims.chosen[name_of(claim)]
            try:
                if volume is None:
                    await self._tell(writer, claim, node)
                else:
                    await self._give(writer, volume, claim)
            except ApiError as error:
                return Status.error(error.message)
        names = [name_of(claim) for claim in claims.waiting]
        try:
            there = await writer.until(
                lambda: _all_bound(state, pod.namespace, names), self.bind_timeout
            )
        except NotFound as error:
            return Status.error(error.message)
        if not there:
            return Status.error("binding volumes: context deadline exceeded")
        self.unreserve(state, pod, node)  # the volumes themselves now say whose they are
        return SUCCESS

    async def _tell(self, writer: Writer, claim: Obj, node: str) -> None:
        if annotations_of(claim).get(SELECTED_NODE) != node:
            patch = {"metadata": {"annotations": {SELECTED_NODE: node}}}
            await writer.patch("persistentvolumeclaims", claim, patch)

    async def _give(self, writer: Writer, volume: Obj, claim: Obj) -> None:
        """Write in a volume whose it is. Raises Conflict where somebody else was quicker."""
        patch = {
            "metadata": {
                "resourceVersion": str(revision_of(volume)),
                "annotations": {BOUND_BY_CONTROLLER: "yes"},
            },
            "spec": {"claimRef": reference(claim, "")},
        }
        if (volume["spec"].get("claimRef") or {}).get("uid") != claim["metadata"]["uid"]:
            await writer.patch("persistentvolumes", volume, patch)


def _other_topologies(pod: PodInfo, change: Change, readers: Readers) -> bool:
    before, now = change.old or {}, change.obj
    return bool(before.get("allowedTopologies") != now.get("allowedTopologies"))


def _other_migrations(pod: PodInfo, change: Change, readers: Readers) -> bool:
    before = annotations_of(change.old or {}).get(_MIGRATED)
    return before != annotations_of(change.obj).get(_MIGRATED)


def _taken(state: CycleState) -> dict[str, tuple[str, str]]:
    """Return the volumes that are being given: their names, and whose they will be."""
    found: dict[str, tuple[str, str]] = state.kept.setdefault(VolumeBinding.name, {})
    return found


def _class(state: CycleState, claim: Obj) -> Obj | None:
    name = class_of(claim)
    return state.readers["storageclasses"].get("", name) if name else None


def _not_made(state: CycleState, claim: Obj, node: NodeInfo) -> str:
    """Say why no volume can be made for a claim; "" where one can."""
    storage_class = _class(state, claim) or {}
    if storage_class.get("provisioner", _NO_PROVISIONER) == _NO_PROVISIONER:
        return _NONE_TO_BIND
    topologies: Sequence[Obj] = storage_class.get("allowedTopologies") or ()
    if topologies and not any(_in_topology(one, node) for one in topologies):
        return _NONE_TO_BIND
    return "" if has_room(state.readers, claim, storage_class, node) else _NO_ROOM


def _in_topology(term: Obj, node: NodeInfo) -> bool:
    return all(
        node.labels.get(one["key"]) in (one.get("values") or ())
        for one in term.get("matchLabelExpressions") or ()
    )


def _all_bound(state: CycleState, namespace: str, names: Sequence[str]) -> bool:
    """Tell whether claims have their volumes. Raises NotFound where one has gone."""
    for name in names:
        claim = state.readers["persistentvolumeclaims"].get(namespace, name)
        if claim is None:
            raise NotFound(_CLAIMS, name)
        if not claim["spec"].get("volumeName"):
            return False
        if (claim.get("status") or {}).get("phase") != "Bound":
            return False
    return True
