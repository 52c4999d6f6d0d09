"""VolumeZone: a volume that bears the labels of a zone is used in that zone."""

from __future__ import annotations

from collections.abc import Mapping

from apimachinery.meta import Obj, labels_of
from apimachinery.volumes import class_of, waits_for_consumer
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

# Labels of zones and regions: the old ones, with those that stand for them today.
_TODAY = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
_LABELS = (*_TODAY, *_TODAY.values())


class VolumeZone(PreFilterPlugin, FilterPlugin):
    """Refuses nodes of other zones and regions than a bound volume names, by labels."""

    name = "VolumeZone"

    def hints(self) -> Mapping[Event, Hint]:
        return {
            Event.CLASS_ADDED: _waits,
            Event.NODE_ADDED: always,
            Event.NODE_LABELS: always,
            Event.CLAIM_ADDED: is_its_claim,
            Event.CLAIM_CHANGED: is_its_claim,
            Event.VOLUME_ADDED: always,
            Event.VOLUME_CHANGED: _elsewhere,
        }

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        wanted: list[tuple[str, frozenset[str]]] = []
        for volume in pod.spec.get("volumes") or ():
            if "persistentVolumeClaim" not in volume:
                continue
            found = self._zones(state, pod, volume["persistentVolumeClaim"]["claimName"])
            if isinstance(found, Status):
                return found
            wanted += found
        if not wanted:
            return SKIP
        state.data[self.name] = wanted
        return SUCCESS

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        if node.labels.keys().isdisjoint(_LABELS):
            return SUCCESS  # a cluster of one zone need not say so
        for label, values in state.data[self.name]:
            value = node.labels.get(label) or node.labels.get(_TODAY.get(label, label))
            if value not in values:
                return Status.unresolvable("node(s) had no available volume zone")
        return SUCCESS

    def _zones(
        self, state: CycleState, pod: PodInfo, name: str
    ) -> list[tuple[str, frozenset[str]]] | Status:
        """Return where a claim's volume is: labels with their values. A zone may name several."""
        claim = state.readers["persistentvolumeclaims"].get(pod.namespace, name)
        if claim is None:
            return Status.unresolvable(f'persistentvolumeclaim "{name}" not found')
        volume_name = claim["spec"].get("volumeName")
        if not volume_name:
            return self._unbound(state, class_of(claim))
        volume = state.readers["persistentvolumes"].get("", volume_name)
        if volume is None:
            return Status.unresolvable(f'persistentvolume "{volume_name}" not found')
        return _zones_of(volume)

    def _unbound(self, state: CycleState, name: str) -> list[tuple[str, frozenset[str]]] | Status:
        if not name:
            return Status.unresolvable("PersistentVolumeClaim had no pv name and storageClass name")
        found = state.readers["storageclasses"].get("", name)
        if found is None:
            return Status.unresolvable(f'storageclass.storage.k8s.io "{name}" not found')
        if waits_for_consumer(found):
            return []
        return Status.unresolvable("PersistentVolume had no name")


def _zones_of(volume: Obj) -> list[tuple[str, frozenset[str]]]:
    labels = labels_of(volume)
    return [(one, frozenset(labels[one].split("__"))) for one in _LABELS if one in labels]


def _waits(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether claims of a new class wait for a pod's node."""
    return waits_for_consumer(change.obj)


def _elsewhere(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a volume is in other zones than it was."""
    return _zones_of(change.old or {}) != _zones_of(change.obj)
