"""Claims for the ephemeral volumes of pods: made with the pod, gone with it."""

from __future__ import annotations

from apimachinery import volumes
from apimachinery.errors import ApiError
from apimachinery.meta import (
    Obj,
    is_controlled_by,
    is_deleting,
    name_of,
    namespace_of,
    owner_reference,
)
from nodes.client.controller import DONE, Result
from nodes.client.events import WARNING
from nodes.client.lister import Key
from nodes.client.resources import PERSISTENTVOLUMECLAIMS, PODS
from nodes.controllers.common.base import ManagedController
from nodes.controllers.common.refusals import is_terminating


class EphemeralVolumeController(ManagedController):
    """Keys are pods."""

    name = "ephemeral-volume-controller"
    service_account = "ephemeral-volume-controller"
    component = "ephemeral_volume"
    reconciles = PODS

    def start(self) -> None:
        super().start()
        self.informer(PERSISTENTVOLUMECLAIMS)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        # Volumes of a pod never change.
        if old is None and new is not None and _ephemeral(new):
            super().on_object(old, new)

    async def reconcile(self, key: Key) -> Result:
        pod = self.informer(PODS).get(*key)
        if pod is None or is_deleting(pod):
            return DONE
        for volume in _ephemeral(pod):
            try:
                await self._make(pod, volume)
            except ApiError as error:
                message = f"ephemeral volume {volume['name']}: {error.message}"
                self.recorder.event(pod, WARNING, "FailedBinding", message)
                raise
        return DONE

    async def _make(self, pod: Obj, volume: Obj) -> None:
        name = volumes.ephemeral_claim_name(pod, volume)
        found = self.informer(PERSISTENTVOLUMECLAIMS).get(namespace_of(pod), name)
        if found is not None:
            if not is_controlled_by(found, pod):
                why = (
                    f"PVC {namespace_of(pod)}/{name} was not created for pod"
                    f" {namespace_of(pod)}/{name_of(pod)} (pod is not owner)"
                )
                raise ApiError(why, code=500)
            return
        try:
            await self.client.create(_claim(pod, name, volume), PERSISTENTVOLUMECLAIMS)
        except ApiError as error:
            if is_terminating(error):
                return
            raise ApiError(f"create PVC {name}: {error.message}", code=500) from error


def _ephemeral(pod: Obj) -> list[Obj]:
    return [one for one in (pod.get("spec") or {}).get("volumes") or () if "ephemeral" in one]


def _claim(pod: Obj, name: str, volume: Obj) -> Obj:
    template = volume["ephemeral"].get("volumeClaimTemplate") or {}
    given = template.get("metadata") or {}
    metadata: Obj = {
        "name": name,
        "namespace": namespace_of(pod),
        "ownerReferences": [owner_reference({"apiVersion": "v1", "kind": "Pod", **pod})],
    }
    for field in ("labels", "annotations"):
        if given.get(field):
            metadata[field] = given[field]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": template.get("spec") or {},
    }
