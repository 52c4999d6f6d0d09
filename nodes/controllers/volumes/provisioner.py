"""The provisioner of the simulated nodes' storage: makes volumes, changes and deletes them.

It stands where the provisioner of a CSI driver would: it is told by annotations and class names.
"""

from __future__ import annotations

from apimachinery import volumes
from apimachinery.attachments import SIMULATED_DRIVER
from apimachinery.errors import AlreadyExists, NotFound
from apimachinery.meta import Obj, annotations_of, is_deleting, name_of, namespace_of, uid_of
from nodes.client.controller import DONE, Result
from nodes.client.events import NORMAL, WARNING, reference
from nodes.client.lister import Key, key_of
from nodes.client.resources import (
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    STORAGECLASSES,
    VOLUMEATTRIBUTESCLASSES,
)
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.volumes.modifier import Modifier, wants_other


class SimulatedProvisioner(ManagedController):
    """Keys are claims; volumes have a queue of their own."""

    name = "simulated-provisioner"
    service_account = "persistent-volume-binder"
    component = volumes.SIMULATED
    reconciles = PERSISTENTVOLUMECLAIMS

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._volumes = self.also("simulated volumes", self._see_to_volume)

        self._modifier = Modifier(self.client, self.recorder, context.informers)

    def start(self) -> None:
        super().start()
        self.informer(STORAGECLASSES)
        self.informer(PERSISTENTVOLUMES).on_change(self._on_volume)
        self.informer(VOLUMEATTRIBUTESCLASSES).on_change(self._on_attributes)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and (_is_ours_to_make(new) or wants_other(new)):
            super().on_object(old, new)

    def _on_volume(self, old: Obj | None, new: Obj | None) -> None:
        if new is None and old is not None:
            self.manager.discard_volume(name_of(old))
        elif new is not None and _is_to_go(new):
            self._volumes.queue.add(key_of(new))

    def _on_attributes(self, old: Obj | None, new: Obj | None) -> None:
        for claim in self.informer(PERSISTENTVOLUMECLAIMS).list() if new is not None else ():
            if volumes.attributes_of(claim) == name_of(new or {}):
                self.on_object(None, claim)

    async def reconcile(self, key: Key) -> Result:
        claim = self.informer(PERSISTENTVOLUMECLAIMS).get(*key)
        if claim is None or is_deleting(claim):
            return DONE
        if wants_other(claim):
            await self._modifier.modify(claim)
        if not _is_ours_to_make(claim):
            return DONE
        storage_class = self.informer(STORAGECLASSES).get("", volumes.class_of(claim))
        if storage_class is None:
            return DONE
        if why := self._wrong_attributes(claim):
            message = f'failed to provision volume with StorageClass "{name_of(storage_class)}": '
            self.recorder.event(claim, WARNING, "ProvisioningFailed", message + why)
            return DONE  # the coming of the class wakes it
        where = f"{namespace_of(claim)}/{name_of(claim)}"
        message = f'External provisioner is provisioning volume for claim "{where}"'
        self.recorder.event(claim, NORMAL, "Provisioning", message)
        volume = build_volume(claim, storage_class)
        try:
            await self.client.create(volume, PERSISTENTVOLUMES)
        except AlreadyExists:
            return DONE
        message = f"Successfully provisioned volume {name_of(volume)}"
        self.recorder.event(claim, NORMAL, "ProvisioningSucceeded", message)
        return DONE

    def _wrong_attributes(self, claim: Obj) -> str:
        """Say why a volume cannot have the attributes that a claim asks for, "" if it can."""
        wanted = volumes.attributes_of(claim)
        if not wanted:
            return ""
        known = self.informer(VOLUMEATTRIBUTESCLASSES).get("", wanted)
        if known is None:
            return f'volumeattributesclass.storage.k8s.io "{wanted}" not found'
        if (driver := known.get("driverName")) != SIMULATED_DRIVER:
            return (
                f"VAC {wanted} referenced in PVC is for driver {driver} which does not match"
                f" driver name {SIMULATED_DRIVER}"
            )
        return ""

    async def _see_to_volume(self, key: Key) -> Result:
        volume = self.informer(PERSISTENTVOLUMES).get(*key)
        if volume is None or not _is_to_go(volume):
            return DONE
        try:
            await self.client.delete(PERSISTENTVOLUMES, "", key.name, uid=uid_of(volume))
        except NotFound:
            return DONE
        return DONE


def _is_ours_to_make(claim: Obj) -> bool:
    notes = annotations_of(claim)
    asked = notes.get(volumes.PROVISIONER) == volumes.SIMULATED
    return asked and not claim["spec"].get("volumeName")


def _is_to_go(volume: Obj) -> bool:
    """Tell whether a volume of ours has been released for good."""
    return (
        annotations_of(volume).get(volumes.PROVISIONED_BY) == volumes.SIMULATED
        and (volume.get("status") or {}).get("phase") == "Released"
        and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
        and not is_deleting(volume)
    )


def build_volume(claim: Obj, storage_class: Obj) -> Obj:
    """Build the volume for a claim; the same claim gives the same name."""
    name = f"pvc-{uid_of(claim)}"
    spec: Obj = {
        "capacity": {"storage": str(volumes.requested(claim))},
        "csi": {"driver": SIMULATED_DRIVER, "volumeHandle": name},
        "accessModes": claim["spec"].get("accessModes") or [],
        "claimRef": reference(claim, ""),
        "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy") or "Delete",
        "storageClassName": name_of(storage_class),
        "volumeMode": claim["spec"].get("volumeMode") or "Filesystem",
    }
    if attributes := volumes.attributes_of(claim):
        spec["volumeAttributesClassName"] = attributes
    if options := storage_class.get("mountOptions"):
        spec["mountOptions"] = options
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {volumes.PROVISIONED_BY: volumes.SIMULATED}},
        "spec": spec,
    }
