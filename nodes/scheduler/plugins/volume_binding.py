"""VolumeBinding: a pod waits until the claims that it mounts are there and bound.

A claim of a class with WaitForFirstConsumer need not be bound: the scheduler's choice binds it.
"""

from __future__ import annotations

from apimachinery.meta import Obj, is_deleting
from nodes.scheduler.framework import SKIP, SUCCESS, CycleState, Event, PreFilterPlugin, Status
from nodes.scheduler.podinfo import PodInfo


class VolumeBinding(PreFilterPlugin):
    """Refuses pods whose claims are missing, being deleted, or unbound without being waited for."""

    name = "VolumeBinding"
    retry_on = frozenset({Event.CLAIM_CHANGED, Event.NODE_ADDED})

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        names = [
            name for volume in pod.spec.get("volumes") or () if (name := _claim_name(pod, volume))
        ]
        if not names:
            return SKIP
        for name in names:
            claim = state.readers["persistentvolumeclaims"].get(pod.namespace, name)
            if claim is None:
                return Status.unresolvable(f'persistentvolumeclaim "{name}" not found')
            if is_deleting(claim):
                return Status.unresolvable(f'persistentvolumeclaim "{name}" is being deleted')
            if not (claim.get("spec") or {}).get("volumeName") and not self._waits(state, claim):
                return Status.unresolvable("pod has unbound immediate PersistentVolumeClaims")
        return SUCCESS

    def _waits(self, state: CycleState, claim: Obj) -> bool:
        name = (claim.get("spec") or {}).get("storageClassName") or ""
        found = state.readers["storageclasses"].get("", name) if name else None
        return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


def _claim_name(pod: PodInfo, volume: Obj) -> str:
    if "persistentVolumeClaim" in volume:
        return str(volume["persistentVolumeClaim"]["claimName"])
    # A generic ephemeral volume's claim is named after the pod.
    return f"{pod.name}-{volume['name']}" if "ephemeral" in volume else ""
