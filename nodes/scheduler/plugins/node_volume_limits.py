"""NodeVolumeLimits: a node attaches as many volumes of a driver as its CSINode says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from apimachinery.meta import Obj, is_controlled_by
from apimachinery.volumes import claim_name, claim_names, class_of
from nodes.scheduler.framework import (
    SKIP,
    SUCCESS,
    Change,
    CycleState,
    Event,
    FilterPlugin,
    Hint,
    PreFilterPlugin,
    Readers,
    Status,
    always,
    is_its_claim,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

# A volume: its driver, and its handle there.
_Volume = tuple[str, str]


class NodeVolumeLimits(PreFilterPlugin, FilterPlugin):
    """Refuses nodes on which the pod's volumes would be more than a driver's limit there.

    A volume that several pods of a node use counts once; one that is attached counts even where
    no pod uses it yet. What is not bound counts for the provisioner of its class.
    """

    name = "NodeVolumeLimits"

    def hints(self) -> Mapping[Event, Hint]:
        return {
            Event.CSINODE_ADDED: always,
            Event.CSINODE_CHANGED: _more_may_be_attached,
            Event.POD_GONE: _had_claims,
            Event.CLAIM_ADDED: is_its_claim,
            Event.ATTACHMENT_GONE: _has_claims,
        }

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        return SUCCESS if claim_names(pod.obj) else SKIP

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        csi_node = state.readers["csinodes"].get("", node.name)
        limits = _limits(csi_node)
        if not limits:
            return SUCCESS
        new: set[_Volume] = set()
        for volume in pod.spec.get("volumes") or ():
            name = claim_name(pod.obj, volume)
            if not name:
                continue
            claim = state.readers["persistentvolumeclaims"].get(pod.namespace, name)
            if claim is None:
                return Status.unresolvable(
                    f"looking up PVC {pod.namespace}/{name}: "
                    f'persistentvolumeclaim "{name}" not found'
                )
            if "ephemeral" in volume and not is_controlled_by(claim, pod.obj):
                return Status.error(
                    f"PVC {pod.namespace}/{name} was not created for pod "
                    f"{pod.namespace}/{pod.name} (pod is not owner)"
                )
            new |= _volumes(state.readers, pod.namespace, [claim])
        if not new:
            return SUCCESS
        there = self._attached(state, node)
        counts = Counter(driver for driver, _ in there)
        more = Counter(driver for driver, _ in new - there)
        for driver, count in more.items():
            if driver in limits and counts[driver] + count > limits[driver]:
                return Status.unschedulable("node(s) exceed max volume count")
        return SUCCESS

    def _attached(self, state: CycleState, node: NodeInfo) -> set[_Volume]:
        """Return the volumes of the node's pods, and what is attached besides."""
        readers = state.readers
        found: set[_Volume] = set()
        for other in node.pods.values():
            known = readers["persistentvolumeclaims"]
            claims = (known.get(other.namespace, name) for name in claim_names(other.obj))
            found |= _volumes(readers, other.namespace, (c for c in claims if c is not None))
        # Looked through once for all nodes: there may be thousands.
        by_node = state.data.get(self.name)
        if by_node is None:
            by_node = state.data[self.name] = _by_node(readers)
        return found | by_node.get(node.name, set())


def _more_may_be_attached(pod: PodInfo, change: Change, readers: Readers) -> bool:
    before, now = _limits(change.old), _limits(change.new)
    return any(driver not in now or now[driver] > count for driver, count in before.items())


def _had_claims(pod: PodInfo, change: Change, readers: Readers) -> bool:
    return bool(claim_names(change.obj))


def _has_claims(pod: PodInfo, change: Change, readers: Readers) -> bool:
    return bool(claim_names(pod.obj))


def _by_node(readers: Readers) -> dict[str, set[_Volume]]:
    """Return the volumes that are attached, by the name of their node."""
    found: dict[str, set[_Volume]] = {}
    for attachment in readers["volumeattachments"].list():
        spec = attachment["spec"]
        name = (spec.get("source") or {}).get("persistentVolumeName") or ""
        volume = readers["persistentvolumes"].get("", name)
        csi = ((volume or {}).get("spec") or {}).get("csi")
        if csi:
            there = found.setdefault(spec.get("nodeName") or "", set())
            there.add((csi["driver"], csi["volumeHandle"]))
    return found


def _limits(csi_node: Obj | None) -> dict[str, int]:
    drivers = ((csi_node or {}).get("spec") or {}).get("drivers") or ()
    counts = {one["name"]: (one.get("allocatable") or {}).get("count") for one in drivers}
    return {driver: count for driver, count in counts.items() if count is not None}


def _volumes(readers: Readers, namespace: str, claims: Iterable[Obj]) -> set[_Volume]:
    found: set[_Volume] = set()
    for claim in claims:
        name = claim["spec"].get("volumeName")
        volume = readers["persistentvolumes"].get("", name) if name else None
        if volume is not None:
            csi = volume["spec"].get("csi")
            if csi:
                found.add((csi["driver"], csi["volumeHandle"]))
            continue
        wanted = class_of(claim)
        storage_class = readers["storageclasses"].get("", wanted) if wanted else None
        if storage_class is not None:
            # What will be made has no handle yet, but is none of those that there are.
            handle = f"unbound {namespace}/{claim['metadata']['name']}"
            found.add((storage_class["provisioner"], handle))
    return found
