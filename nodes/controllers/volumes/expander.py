"""Claims that ask for more than they have: a volume of the simulated storage grows at once."""

from __future__ import annotations

from apimachinery import volumes
from apimachinery.meta import Obj, annotations_of, is_deleting, name_of, namespace_of
from apimachinery.quantity import parse
from nodes.client.controller import DONE, Result
from nodes.client.events import NORMAL
from nodes.client.lister import Key
from nodes.client.resources import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES
from nodes.controllers.common.base import ManagedController


class VolumeExpander(ManagedController):
    """Keys are claims."""

    name = "persistentvolume-expander-controller"
    service_account = "expand-controller"
    component = "volume_expand"
    reconciles = PERSISTENTVOLUMECLAIMS

    def start(self) -> None:
        super().start()
        self.informer(PERSISTENTVOLUMES)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and _wants_more(new):
            super().on_object(old, new)

    async def reconcile(self, key: Key) -> Result:
        claim = self.informer(PERSISTENTVOLUMECLAIMS).get(*key)
        if claim is None or not _wants_more(claim):
            return DONE
        volume = self.informer(PERSISTENTVOLUMES).get("", claim["spec"]["volumeName"])
        if volume is None:
            return DONE
        if annotations_of(volume).get(volumes.PROVISIONED_BY) != volumes.SIMULATED:
            message = "waiting for an external controller to expand this PVC"
            self.recorder.event(claim, NORMAL, "ExternalExpanding", message)
            return DONE
        message = f"External resizer is resizing volume {name_of(volume)}"
        self.recorder.event(claim, NORMAL, "Resizing", message)
        size = {"storage": str(volumes.requested(claim))}
        if volumes.capacity(volume) < volumes.requested(claim):
            body = {"spec": {"capacity": size}}
            await self.client.patch(PERSISTENTVOLUMES, "", name_of(volume), body)
        body = {"status": {"capacity": size, "allocatedResources": size}}
        where = (namespace_of(claim), name_of(claim))
        await self.client.patch(PERSISTENTVOLUMECLAIMS, *where, body, subresource="status")
        message = "Resize volume succeeded"
        self.recorder.event(claim, NORMAL, "VolumeResizeSuccessful", message)
        return DONE


def _wants_more(claim: Obj) -> bool:
    status = claim.get("status") or {}
    has = (status.get("capacity") or {}).get("storage")
    if status.get("phase") != "Bound" or has is None or is_deleting(claim):
        return False
    return bool(claim["spec"].get("volumeName")) and volumes.requested(claim) > parse(has)
