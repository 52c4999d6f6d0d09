"""Claims, volumes and classes of attributes stay while they are in use: their finalizers."""

from __future__ import annotations

from abc import abstractmethod

from apimachinery import volumes
from apimachinery.errors import NotFound
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of, replace_in
from apimachinery.pods import node_name
from nodes.client.controller import DONE, Mapped, Result
from nodes.client.lister import Key, key_of
from nodes.client.resources import (
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    VOLUMEATTRIBUTESCLASSES,
)
from nodes.controllers.common.base import ManagedController
from nodes.controllers.volumes import users

_CLAIM, _VOLUME = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
_ATTRIBUTES = "kubernetes.io/vac-protection"


class _Protection(ManagedController):
    """What all have in common."""

    finalizer: str

    @abstractmethod
    async def is_used(self, obj: Obj) -> bool:
        """Tell whether an object that is to go is still needed."""

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and is_deleting(new) == (self.finalizer in _finalizers(new)):
            super().on_object(old, new)

    async def reconcile(self, key: Key) -> Result:
        obj = self.informer(self.reconciles).get(*key)
        if obj is None:
            return DONE
        present = _finalizers(obj)
        if is_deleting(obj):
            if self.finalizer in present and not await self.is_used(obj):
                left = [one for one in present if one != self.finalizer]
                await self._write(obj, left)
        elif self.finalizer not in present:
            await self._write(obj, [*present, self.finalizer])
        return DONE

    async def _write(self, obj: Obj, finalizers: list[str]) -> None:
        changed = replace_in(obj, ("metadata", "finalizers"), finalizers)
        try:
            await self.client.update(changed, resource=self.reconciles)
        except NotFound:
            return


def _claims_of_pod(controller: ClaimProtection, pod: Obj) -> list[Key]:
    del controller
    return [Key(namespace_of(pod), name) for name in volumes.claim_names(pod)]


class ClaimProtection(_Protection):
    """Keys are claims. One is in use while a pod that has a node mounts it."""

    name = "persistentvolumeclaim-protection-controller"
    service_account = "pvc-protection-controller"
    component = "persistentvolumeclaim-protection-controller"
    reconciles = PERSISTENTVOLUMECLAIMS
    watches = (Mapped(PODS, _claims_of_pod),)
    finalizer = _CLAIM

    def start(self) -> None:
        users.index_claims(self.informer(PODS))
        super().start()

    async def is_used(self, obj: Obj) -> bool:
        claim = key_of(obj)
        if any(map(node_name, users.users_of(self.informer(PODS), claim))):
            return True
        # The cache may not show the last pod yet, and a claim that is gone does not come back.
        pods, _ = await self.client.list(PODS, claim.namespace)
        return any(node_name(pod) and claim.name in volumes.claim_names(pod) for pod in pods)


class VolumeProtection(_Protection):
    """Keys are volumes. One is in use while it is bound."""

    name = "persistentvolume-protection-controller"
    service_account = "pv-protection-controller"
    component = "persistentvolume-protection-controller"
    reconciles = PERSISTENTVOLUMES
    finalizer = _VOLUME

    async def is_used(self, obj: Obj) -> bool:
        return bool((obj.get("status") or {}).get("phase") == "Bound")


def _class_of_claim(controller: AttributesProtection, obj: Obj) -> list[Key]:
    del controller
    return [Key("", name) for name in _classes(obj)]


class AttributesProtection(_Protection):
    """Keys are VolumeAttributesClasses. One is in use while a claim or a volume names it."""

    name = "volumeattributesclass-protection-controller"
    service_account = "volumeattributesclass-protection-controller"
    component = "volumeattributesclass-protection-controller"
    reconciles = VOLUMEATTRIBUTESCLASSES
    watches = (
        Mapped(PERSISTENTVOLUMECLAIMS, _class_of_claim),
        Mapped(PERSISTENTVOLUMES, _class_of_claim),
    )
    finalizer = _ATTRIBUTES

    async def is_used(self, obj: Obj) -> bool:
        name = name_of(obj)
        return any(
            name in _classes(one)
            for resource in (PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES)
            for one in self.informer(resource).list()
        )


def _classes(obj: Obj) -> set[str]:
    """Return the classes of attributes that a claim or a volume has, or is to have."""
    status = obj.get("status") or {}
    found = (
        obj["spec"].get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    )
    return {str(name) for name in found if name}


def _finalizers(obj: Obj) -> list[str]:
    return obj["metadata"].get("finalizers") or []
