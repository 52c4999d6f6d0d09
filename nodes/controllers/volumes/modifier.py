"""Claims that ask for another class of attributes: the simulated storage changes at once.

It stands where the resizer of a CSI driver would, which sees to such changes too.
"""

from __future__ import annotations

from apimachinery import volumes
from apimachinery.attachments import SIMULATED_DRIVER
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of
from nodes.client.controller import DONE, Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.lister import Key, key_of
from nodes.client.resources import (
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    VOLUMEATTRIBUTESCLASSES,
)
from nodes.controllers.common.base import ManagedController

_STATUS = "modifyVolumeStatus"


class SimulatedModifier(ManagedController):
    """Keys are claims."""

    name = "simulated-modifier"
    service_account = "expand-controller"
    component = f"external-resizer {SIMULATED_DRIVER}"
    reconciles = PERSISTENTVOLUMECLAIMS

    def start(self) -> None:
        super().start()
        self.informer(PERSISTENTVOLUMES)
        self.informer(VOLUMEATTRIBUTESCLASSES).on_change(self._on_class)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and _wants_other(new):
            super().on_object(old, new)

    def _on_class(self, old: Obj | None, new: Obj | None) -> None:
        if old is None and new is not None:
            for claim in self.informer(PERSISTENTVOLUMECLAIMS).list():
                if volumes.attributes_of(claim) == name_of(new) and _wants_other(claim):
                    self.queue.add(key_of(claim))

    async def reconcile(self, key: Key) -> Result:
        claim = self.informer(PERSISTENTVOLUMECLAIMS).get(*key)
        if claim is None or not _wants_other(claim):
            return DONE
        volume = self.informer(PERSISTENTVOLUMES).get("", claim["spec"]["volumeName"])
        if volume is None or (volume["spec"].get("csi") or {}).get("driver") != SIMULATED_DRIVER:
            return DONE
        wanted = volumes.attributes_of(claim)
        if self.informer(VOLUMEATTRIBUTESCLASSES).get("", wanted) is None:
            await self._wait(claim, wanted)
            return DONE
        about = f"volume {name_of(claim)} with vac {wanted}"
        self.recorder.event(claim, NORMAL, "VolumeModify", f"external resizer is modifying {about}")
        body = {"spec": {"volumeAttributesClassName": wanted}}
        await self.client.patch(PERSISTENTVOLUMES, "", name_of(volume), body)
        await self._tell(claim, {"currentVolumeAttributesClassName": wanted, _STATUS: None})
        done = f"external resizer modified {about} successfully"
        self.recorder.event(claim, NORMAL, "VolumeModifySuccessful", done)
        return DONE

    async def _wait(self, claim: Obj, wanted: str) -> None:
        """Say that there is no such class (yet)."""
        waiting = {"targetVolumeAttributesClassName": wanted, "status": "Pending"}
        if (claim.get("status") or {}).get(_STATUS) == waiting:
            return
        why = f"VAC {wanted} does not exist."
        self.recorder.event(claim, WARNING, "VolumeModifyFailed", why)
        await self._tell(claim, {_STATUS: waiting})

    async def _tell(self, claim: Obj, status: Obj) -> None:
        where = (namespace_of(claim), name_of(claim))
        body = {"status": status}
        await self.client.patch(PERSISTENTVOLUMECLAIMS, *where, body, subresource="status")


def _wants_other(claim: Obj) -> bool:
    """Tell whether a bound claim names another class than it has."""
    status, wanted = claim.get("status") or {}, volumes.attributes_of(claim)
    if status.get("phase") != "Bound" or not wanted or is_deleting(claim):
        return False
    return bool(wanted != status.get("currentVolumeAttributesClassName"))
