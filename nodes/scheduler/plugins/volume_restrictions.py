"""VolumeRestrictions: some disks, and claims of one pod alone, are not shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apimachinery.meta import Obj, namespace_of
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
    counts_pods = True

    def hints(self) -> Mapping[Event, Hint]:
        return {
            Event.POD_GONE: _frees_volume,
            Event.NODE_ADDED: always,
            Event.CLAIM_ADDED: is_its_claim,
        }

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
        if disks and any(_share(disks, other.spec) for other in node.pods.values()):
            return Status.unschedulable(_DISK)
        return Status.unschedulable(_IN_USE) if in_use else SUCCESS


def _claims(volumes: Sequence[Obj]) -> list[str]:
    return [
        v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v
    ]


def _claims_of(pod: PodInfo) -> list[str]:
    volumes = pod.spec.get("volumes")
    return _claims(volumes) if volumes else []


def _frees_volume(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a pod that is gone had a disk or a claim that this one wants."""
    if namespace_of(change.obj) != pod.namespace:
        return False
    volumes, spec = pod.spec.get("volumes") or (), change.obj["spec"]
    if not set(_claims(volumes)).isdisjoint(_claims(spec.get("volumes") or ())):
        return True
    return _share(volumes, spec)


def _share(disks: Sequence[Obj], spec: Obj) -> bool:
    """Tell whether a pod has one of the disks, which it does not share."""
    return any(_collide(disk, one) for one in spec.get("volumes") or () for disk in disks)


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
