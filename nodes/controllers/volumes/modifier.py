"""Claims that ask for another class of attributes: the simulated storage changes at once.

It stands where the resizer of a CSI driver would, which sees to such changes too.
"""

from __future__ import annotations

from apimachinery import volumes
from apimachinery.attachments import SIMULATED_DRIVER
from apimachinery.meta import Obj, is_deleting, name_of, replace_in
from nodes.client.events import NORMAL, WARNING, Recorder
from nodes.client.informer import Informers
from nodes.client.resources import (
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    VOLUMEATTRIBUTESCLASSES,
)
from nodes.client.rest import Client

_CURRENT, _MODIFYING = "currentVolumeAttributesClassName", "modifyVolumeStatus"


def wants_other(claim: Obj) -> bool:
    """Tell whether a bound claim names another class than it has."""
    status, wanted = claim.get("status") or {}, volumes.attributes_of(claim)
    if status.get("phase") != "Bound" or not wanted or is_deleting(claim):
        return False
    return bool(wanted != status.get(_CURRENT))


class Modifier:
    """Changes volumes of the simulated driver."""

    def __init__(self, client: Client, recorder: Recorder, informers: Informers) -> None:
        self._client, self._recorder, self._informers = client, recorder, informers

    async def modify(self, claim: Obj) -> None:
        """Give a claim the class that it names, or say that there is none (yet)."""
        name, wanted = claim["spec"]["volumeName"], volumes.attributes_of(claim)
        volume = self._informers.get(PERSISTENTVOLUMES).get("", name)
        if volume is None or (volume["spec"].get("csi") or {}).get("driver") != SIMULATED_DRIVER:
            return
        if self._informers.get(VOLUMEATTRIBUTESCLASSES).get("", wanted) is None:
            await self._wait(claim, wanted)
            return
        about = f"volume {name_of(claim)} with vac {wanted}"
        self._say(claim, "VolumeModify", f"external resizer is modifying {about}")
        changed = replace_in(volume, ("spec", "volumeAttributesClassName"), wanted)
        await self._client.update(changed, resource=PERSISTENTVOLUMES)
        status = {k: v for k, v in claim["status"].items() if k != _MODIFYING}
        await self._tell(claim, status | {_CURRENT: wanted})
        self._say(
            claim, "VolumeModifySuccessful", f"external resizer modified {about} successfully"
        )

    async def _wait(self, claim: Obj, wanted: str) -> None:
        waiting = {"targetVolumeAttributesClassName": wanted, "status": "Pending"}
        if claim["status"].get(_MODIFYING) != waiting:
            self._say(claim, "VolumeModifyFailed", f"VAC {wanted} does not exist.", WARNING)
            await self._tell(claim, claim["status"] | {_MODIFYING: waiting})

    async def _tell(self, claim: Obj, status: Obj) -> None:
        await self._client.update_status({**claim, "status": status}, PERSISTENTVOLUMECLAIMS)

    def _say(self, claim: Obj, reason: str, message: str, type_: str = NORMAL) -> None:
        self._recorder.event(claim, type_, reason, message)
