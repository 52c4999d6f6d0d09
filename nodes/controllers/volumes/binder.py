"""Binding claims to volumes, and what becomes of volumes whose claim has gone.

Both ends are written, the volume first: it says whose it is, the claim what it has. A claim whose
class waits for its first consumer is bound once a pod that uses it has a node.
"""

from __future__ import annotations

from apimachinery import volumes
from apimachinery.meta import (
    Obj,
    annotations_of,
    is_deleting,
    name_of,
    namespace_of,
    replace_in,
    uid_of,
)
from apimachinery.pods import is_terminal, node_name
from nodes.client.controller import DONE, Result
from nodes.client.events import NORMAL, WARNING, reference
from nodes.client.lister import Key, key_of
from nodes.client.resources import (
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    STORAGECLASSES,
)
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.volumes import users

_IN_TREE = "kubernetes.io/"


class PersistentVolumeBinder(ManagedController):
    """Keys are claims; volumes have a queue of their own."""

    name = "persistentvolume-binder-controller"
    service_account = "persistent-volume-binder"
    component = "persistentvolume-controller"
    reconciles = PERSISTENTVOLUMECLAIMS

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._volumes = self.also("persistent volumes", self._see_to_volume)

    # What wakes it.

    def start(self) -> None:
        super().start()
        users.index_claims(self.informer(PODS))
        self.informer(NODES)
        self.informer(PERSISTENTVOLUMES).on_change(self._on_volume)
        self.informer(STORAGECLASSES).on_change(self._on_class)
        self.informer(PODS).on_change(self._on_pod)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        super().on_object(old, new)
        claim = new if new is not None else old
        volume = str((claim or {}).get("spec", {}).get("volumeName") or "")
        if volume:
            self._volumes.queue.add(Key("", volume))

    def _on_volume(self, old: Obj | None, new: Obj | None) -> None:
        volume = new if new is not None else old
        if volume is None:
            return
        self._volumes.queue.add(key_of(volume))
        if holder := volume["spec"].get("claimRef"):
            self.queue.add(Key(holder.get("namespace") or "", holder.get("name") or ""))
        elif new is not None:
            self._wake_unbound(volumes.class_of(volume))

    def _on_class(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None:
            self._wake_unbound(name_of(new), unnamed=True)

    def _wake_unbound(self, wanted: str, *, unnamed: bool = False) -> None:
        for claim in self.informer(PERSISTENTVOLUMECLAIMS).list():
            if claim["spec"].get("volumeName"):
                continue
            late = unnamed and volumes.names_no_class(claim)
            if late or volumes.class_of(claim) == wanted:
                self.queue.add(key_of(claim))

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        pod = new if new is not None else old
        if pod is None or (
            old is not None and new is not None and node_name(old) == node_name(new)
        ):
            return
        for claim in volumes.claim_names(pod):
            self.queue.add(Key(namespace_of(pod), claim))

    # Claims.

    async def reconcile(self, key: Key) -> Result:
        claim = self.informer(PERSISTENTVOLUMECLAIMS).get(*key)
        if claim is None:
            return DONE
        if volumes.BIND_COMPLETED in annotations_of(claim):
            await self._check_bound(claim)
        elif named := claim["spec"].get("volumeName"):
            await self._bind_named(claim, self._volume(named))
        elif not is_deleting(claim):
            await self._bind_any(claim)
        return DONE

    def _volume(self, name: str) -> Obj | None:
        return self.informer(PERSISTENTVOLUMES).get("", name)

    async def _check_bound(self, claim: Obj) -> None:
        """See whether a claim that was bound still has its volume."""
        name = claim["spec"].get("volumeName")
        volume = self._volume(name) if name else None
        if volume is None and name:
            # The cache may be behind: a claim is not lost lightly.
            volume = await self.client.find(PERSISTENTVOLUMES, "", name)
        if volume is None:
            what = "its PersistentVolume" if name else "reference to PersistentVolume"
            message = f"Bound claim has lost {what}. Data on the volume is lost!"
            await self._lose(claim, "ClaimLost", message)
            return
        holder = volume["spec"].get("claimRef")
        if holder is None or holder.get("uid") == uid_of(claim):
            await self._bind(volume, claim)
            return
        message = "Two claims are bound to the same volume, this one is bound incorrectly"
        await self._lose(claim, "ClaimMisbound", message)

    async def _lose(self, claim: Obj, reason: str, message: str) -> None:
        if (claim.get("status") or {}).get("phase") != "Lost":
            await self._set_phase(claim, "Lost")
            self.recorder.event(claim, WARNING, reason, message)

    async def _bind_named(self, claim: Obj, volume: Obj | None) -> None:
        if volume is None:
            await self._set_phase(claim, "Pending")
        elif volume["spec"].get("claimRef") is None:
            if why := volumes.unfit_reason(volume, claim):
                message = f'Cannot bind to requested volume "{name_of(volume)}": {why}'
                self.recorder.event(claim, WARNING, "VolumeMismatch", message)
                await self._set_phase(claim, "Pending")
            else:
                await self._bind(volume, claim)
        elif volumes.is_bound_to(volume, claim):
            await self._bind(volume, claim)
        else:
            message = f'volume "{name_of(volume)}" already bound to a different claim.'
            self.recorder.event(claim, WARNING, "FailedBinding", message)
            await self._set_phase(claim, "Pending")

    async def _bind_any(self, claim: Obj) -> None:
        if volumes.names_no_class(claim):
            default = volumes.default_class(self.informer(STORAGECLASSES).list())
            if default is not None:
                changed = replace_in(claim, ("spec", "storageClassName"), name_of(default))
                await self.client.update(changed, resource=PERSISTENTVOLUMECLAIMS)
                return  # its own change brings it back
        wanted = volumes.class_of(claim)
        storage_class = self.informer(STORAGECLASSES).get("", wanted) if wanted else None
        delayed = volumes.waits_for_consumer(storage_class)
        node = self._consumer_node(claim) if delayed else ""
        found = volumes.best_match(
            self.informer(PERSISTENTVOLUMES).list(),
            claim,
            self.informer(NODES).get("", node) if node else None,
            delayed=delayed,
        )
        if found is not None:
            await self._bind(found, claim)
        elif delayed and not node:
            self._tell_of_waiting(claim)
            await self._set_phase(claim, "Pending")
        elif wanted:
            await self._ask_for_volume(claim, wanted, storage_class, node)
        else:
            message = "no persistent volumes available for this claim and no storage class is set"
            self.recorder.event(claim, NORMAL, "FailedBinding", message)
            await self._set_phase(claim, "Pending")

    def _consumer_node(self, claim: Obj) -> str:
        """Return the node of the claim's first consumer, "" while none has one."""
        if chosen := annotations_of(claim).get(volumes.SELECTED_NODE):
            return chosen
        pods = users.users_of(self.informer(PODS), key_of(claim))
        return next((node_name(pod) for pod in pods if node_name(pod)), "")

    def _tell_of_waiting(self, claim: Obj) -> None:
        pods = users.users_of(self.informer(PODS), key_of(claim))
        names = [name_of(pod) for pod in pods if not is_terminal(pod)]
        if not names:
            message = "waiting for first consumer to be created before binding"
            self.recorder.event(claim, NORMAL, "WaitForFirstConsumer", message)
            return
        noun = "pods" if len(names) > 1 else "pod"
        message = f"waiting for {noun} {','.join(names)} to be scheduled"
        self.recorder.event(claim, NORMAL, "WaitForPodScheduled", message)

    async def _ask_for_volume(
        self, claim: Obj, wanted: str, storage_class: Obj | None, node: str
    ) -> None:
        """Leave it to the class' provisioner, by an annotation."""
        provisioner = str((storage_class or {}).get("provisioner") or "")
        if storage_class is None:
            why = f'storageclass.storage.k8s.io "{wanted}" not found'
            self.recorder.event(claim, WARNING, "ProvisioningFailed", why)
            return
        if provisioner.startswith(_IN_TREE):
            why = f"no volume plugin matched name: {provisioner}"
            self.recorder.event(claim, WARNING, "ProvisioningFailed", why)
            return
        notes = {volumes.BETA_PROVISIONER: provisioner, volumes.PROVISIONER: provisioner}
        if node:
            notes[volumes.SELECTED_NODE] = node
        given = annotations_of(claim)
        if notes.items() <= given.items():
            return
        changed = replace_in(claim, ("metadata", "annotations"), given | notes)
        await self.client.update(changed, resource=PERSISTENTVOLUMECLAIMS)
        message = (
            "Waiting for a volume to be created either by the external provisioner"
            f" '{provisioner}' or manually by the system administrator. If volume creation is"
            " delayed, please verify that the provisioner is running and correctly registered."
        )
        self.recorder.event(claim, NORMAL, "ExternalProvisioning", message)

    # Both ends.

    async def _bind(self, volume: Obj, claim: Obj) -> None:
        """Write what binds the two, as far as it is not there. Raises ApiError."""
        volume = await self._give(volume, claim)
        await self._set_volume_phase(volume, "Bound")
        await self._set_phase(await self._take(claim, volume), "Bound", volume)

    async def _give(self, volume: Obj, claim: Obj) -> Obj:
        holder = volume["spec"].get("claimRef")
        if holder is not None and holder.get("uid") == uid_of(claim):
            return volume
        if holder is None:
            notes = annotations_of(volume) | {volumes.BOUND_BY_CONTROLLER: "yes"}
            volume = replace_in(volume, ("metadata", "annotations"), notes)
        volume = replace_in(volume, ("spec", "claimRef"), reference(claim, ""))
        return await self.client.update(volume, resource=PERSISTENTVOLUMES)

    async def _take(self, claim: Obj, volume: Obj) -> Obj:
        notes = annotations_of(claim) | {volumes.BIND_COMPLETED: "yes"}
        changed = claim
        if claim["spec"].get("volumeName") != name_of(volume):
            notes |= {volumes.BOUND_BY_CONTROLLER: "yes"}
            changed = replace_in(claim, ("spec", "volumeName"), name_of(volume))
        if notes == annotations_of(claim) and changed is claim:
            return claim
        changed = replace_in(changed, ("metadata", "annotations"), notes)
        return await self.client.update(changed, resource=PERSISTENTVOLUMECLAIMS)

    async def _set_phase(self, claim: Obj, phase: str, volume: Obj | None = None) -> None:
        before = claim.get("status") or {}
        status = {k: v for k, v in before.items() if k not in ("accessModes", "capacity")}
        status["phase"] = phase
        if volume is not None:
            status["accessModes"] = volume["spec"].get("accessModes")
            # What a bound claim has may lag behind its volume while that grows.
            grown = before.get("phase") == phase and before.get("capacity")
            status["capacity"] = grown or volume["spec"].get("capacity")
            # Later it is for who changes the attributes to say which they are.
            attributes = volumes.attributes_of(volume)
            if attributes and before.get("phase") != phase:
                status["currentVolumeAttributesClassName"] = attributes
        if status != before:
            await self.client.update_status({**claim, "status": status}, PERSISTENTVOLUMECLAIMS)

    # Volumes.

    async def _see_to_volume(self, key: Key) -> Result:
        volume = self._volume(key.name)
        if volume is None:
            return DONE
        holder = volume["spec"].get("claimRef")
        if holder is None or not holder.get("uid"):
            await self._set_volume_phase(volume, "Available")
            return DONE
        claim = await self._holder(volume, holder)
        if claim is None:
            await self._release_volume(volume)
        elif not claim["spec"].get("volumeName"):
            self._see_to_unfinished(volume, claim)
        elif claim["spec"]["volumeName"] == name_of(volume):
            await self._set_volume_phase(volume, "Bound")
        elif self._is_spare(volume):
            await self._release_volume(volume)
        else:
            await self._unbind(volume)
        return DONE

    async def _holder(self, volume: Obj, holder: Obj) -> Obj | None:
        """Return the claim that a volume says it is bound to, if it is still there."""
        key = Key(holder.get("namespace") or "", holder.get("name") or "")
        claim = self.informer(PERSISTENTVOLUMECLAIMS).get(*key)
        if claim is None and _phase(volume) not in ("Released", "Failed"):
            claim = await self.client.find(PERSISTENTVOLUMECLAIMS, *key)
        return claim if claim is not None and uid_of(claim) == holder.get("uid") else None

    def _see_to_unfinished(self, volume: Obj, claim: Obj) -> None:
        if volumes.same_mode(volume, claim):
            self.queue.add(key_of(claim))
            return
        tail = "due to incompatible volumeMode."
        message = (
            "Cannot bind PersistentVolume to requested PersistentVolumeClaim"
            f' "{name_of(claim)}" {tail}'
        )
        self.recorder.event(volume, WARNING, "VolumeMismatch", message)
        message = (
            f'Cannot bind PersistentVolume "{name_of(volume)}" to requested'
            f" PersistentVolumeClaim {tail}"
        )
        self.recorder.event(claim, WARNING, "VolumeMismatch", message)

    def _is_spare(self, volume: Obj) -> bool:
        """Tell whether a volume was made for a claim that has found another."""
        policy = volume["spec"].get("persistentVolumeReclaimPolicy")
        return volumes.PROVISIONED_BY in annotations_of(volume) and policy == "Delete"

    async def _unbind(self, volume: Obj) -> None:
        notes = dict(annotations_of(volume))
        changed = volume
        if notes.pop(volumes.BOUND_BY_CONTROLLER, None) is not None:
            spec = {k: v for k, v in volume["spec"].items() if k != "claimRef"}
            changed = replace_in({**volume, "spec": spec}, ("metadata", "annotations"), notes)
        else:
            # Reserved by a person: it stays reserved for a claim of this name.
            holder = {k: v for k, v in volume["spec"]["claimRef"].items() if k != "uid"}
            changed = replace_in(volume, ("spec", "claimRef"), holder)
        written = await self.client.update(changed, resource=PERSISTENTVOLUMES)
        await self._set_volume_phase(written, "Available")

    async def _release_volume(self, volume: Obj) -> None:
        """The claim has gone: do with the volume as its reclaim policy says."""
        if _phase(volume) not in ("Released", "Failed"):
            volume = await self._set_volume_phase(volume, "Released")
        policy = volume["spec"].get("persistentVolumeReclaimPolicy") or "Retain"
        if policy == "Recycle":
            message = "No recycler plugin found for the volume!"
            await self._fail_volume(volume, "VolumeFailedRecycle", message)
        elif policy == "Delete" and not is_deleting(volume):
            await self._delete_volume(volume)

    async def _delete_volume(self, volume: Obj) -> None:
        if volumes.PROVISIONED_BY in annotations_of(volume):
            return  # whoever made it
        path = (volume["spec"].get("hostPath") or {}).get("path")
        if path is None:
            message = (
                f'error getting deleter volume plugin for volume "{name_of(volume)}":'
                " no deletable volume plugin matched"
            )
            await self._fail_volume(volume, "VolumeFailedDelete", message)
        elif not path.startswith("/tmp/") or path == "/tmp/":  # noqa: S108
            message = f"host_path deleter only supports /tmp/.+ but received provided {path}"
            await self._fail_volume(volume, "VolumeFailedDelete", message)
        else:
            await self.client.delete(PERSISTENTVOLUMES, "", name_of(volume), uid=uid_of(volume))

    async def _fail_volume(self, volume: Obj, reason: str, message: str) -> None:
        if _phase(volume) != "Failed":
            await self._set_volume_phase(volume, "Failed", message)
            self.recorder.event(volume, WARNING, reason, message)

    async def _set_volume_phase(self, volume: Obj, phase: str, message: str = "") -> Obj:
        if _phase(volume) == phase:
            return volume
        status = {k: v for k, v in (volume.get("status") or {}).items() if k != "message"}
        status["phase"] = phase
        if message:
            status["message"] = message
        return await self.client.update_status({**volume, "status": status}, PERSISTENTVOLUMES)


def _phase(volume: Obj) -> str:
    return str((volume.get("status") or {}).get("phase") or "")
