"""The attacher of the simulated nodes' storage: attaches at once what it is asked to.

It stands where a CSI driver's external attacher would, and acts as the account that comes with
the driver (`CSIDriver` simulated.kubeground.io). Without the driver there is nothing to attach.
"""

from __future__ import annotations

from apimachinery.attachments import SIMULATED_DRIVER
from apimachinery.errors import NotFound
from apimachinery.meta import Obj, is_deleting, name_of
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key, key_of
from nodes.client.resources import CSIDRIVERS, VOLUMEATTACHMENTS
from nodes.controllers.common.base import ManagedController, ManagerContext

ACCOUNT = "simulated-csi-driver"
FINALIZER = f"external-attacher/{SIMULATED_DRIVER.replace('.', '-')}"


class SimulatedAttacher(ManagedController):
    """Keys are VolumeAttachments."""

    name = "simulated-attacher"
    service_account = ACCOUNT
    component = SIMULATED_DRIVER
    reconciles = VOLUMEATTACHMENTS

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._following = False

    def start(self) -> None:
        self.informer(CSIDRIVERS).on_change(self._on_driver)

    def _on_driver(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and name_of(new) == SIMULATED_DRIVER and not self._following:
            self._following = True
            super().start()

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and new["spec"].get("attacher") == SIMULATED_DRIVER:
            self.queue.add(key_of(new))

    async def reconcile(self, key: Key) -> Result:
        found = self.informer(VOLUMEATTACHMENTS).get(*key)
        if found is None:
            return DONE
        finalizers = found["metadata"].get("finalizers") or []
        if is_deleting(found):
            left = [one for one in finalizers if one != FINALIZER]
            await self._patch(found, {"metadata": {"finalizers": left or None}})
            return DONE
        if FINALIZER not in finalizers:
            body = {"metadata": {"finalizers": [*finalizers, FINALIZER]}}
            await self._patch(found, body)
        if not (found.get("status") or {}).get("attached"):
            await self._patch(found, {"status": {"attached": True}}, "status")
        return DONE

    async def _patch(self, found: Obj, body: Obj, subresource: str = "") -> None:
        try:
            await self.client.patch(
                VOLUMEATTACHMENTS, "", name_of(found), body, subresource=subresource
            )
        except NotFound:
            return
