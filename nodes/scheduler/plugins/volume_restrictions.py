"""VolumeRestrictions: some disks, and claims of one pod alone, are not shared."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.meta import Obj
from nodes.scheduler.framework import (
    SKIP,
    SUCCESS,
    CycleState,
    Event,
    FilterPlugin,
    PreFilterPlugin,
    Status,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

_DISK = "node(s) had no available disk"
_IN_USE = (
    "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
)
_SINGLE = "ReadWriteOncePod"
_DISKS = ("gcePersistentDisk", "awsElasticBlockStore", "rbd", "iscsi")


class VolumeRestrictions(PreFilterPlugin, FilterPlugin):
    """Refuses nodes where a disk is in use, and all while a ReadWriteOncePod claim is.

    The pod that uses such a claim can be preempted: that frees it on any node, but the one on
    which it stands is where room is looked for.
    """

    name = "VolumeRestrictions"
    retry_on = frozenset({Event.POD_GONE, Event.NODE_ADDED, Event.CLAIM_ADDED})

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        volumes = pod.spec.get("volumes") or ()
        single = set()
        for name in _claims(volumes):
            claim = state.readers["persistentvolumeclaims"].get(pod.namespace, name)
            if claim is None:
                return Status.unresolvable(f'persistentvolumeclaim "{name}" not found')
            if _SINGLE in (claim["spec"].get("accessModes") or ()):
                single.add(name)
        disks = [volume for volume in volumes if any(kind in volume for kind in _DISKS)]
        in_use = bool(single) and any(
            other.namespace == pod.namespace and not single.isdisjoint(_claims_of(other))
            for node in state.nodes
            for other in node.pods.values()
        )
        if not disks and not in_use:
            return SKIP
        state.data[self.name] = disks, in_use
        return SUCCESS

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        disks, in_use = state.data[self.name]
        if disks and any(
            _collide(disk, volume)
            for other in node.pods.values()
            for volume in other.spec.get("volumes") or ()
            for disk in disks
        ):
            return Status.unschedulable(_DISK)
        return Status.unschedulable(_IN_USE) if in_use else SUCCESS


def _claims(volumes: Sequence[Obj]) -> list[str]:
    return [
        v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v
    ]


def _claims_of(pod: PodInfo) -> list[str]:
    volumes = pod.spec.get("volumes")
    return _claims(volumes) if volumes else []


def _collide(disk: Obj, other: Obj) -> bool:
    """Tell whether two volumes are one disk that cannot be mounted twice."""
    kind = next((kind for kind in _DISKS if kind in disk and kind in other), None)
    if kind is None:
        return False
    one, two = disk[kind], other[kind]
    read_only = bool(one.get("readOnly") and two.get("readOnly"))
    if kind == "awsElasticBlockStore":
        return bool(one.get("volumeID") == two.get("volumeID"))
    if kind == "gcePersistentDisk":
        return one.get("pdName") == two.get("pdName") and not read_only
    if kind == "iscsi":
        return one.get("iqn") == two.get("iqn") and not read_only
    same = all(one.get(field) == two.get(field) for field in ("pool", "image"))
    shared = set(one.get("monitors") or ()) & set(two.get("monitors") or ())
    return same and bool(shared) and not read_only
