"""Claims of devices: made of templates for pods, free again when no pod uses them.

The scheduler gives a claim its devices and reserves it for a pod; this controller takes back what
is reserved for pods that are done, and with the last of them the devices.
"""

from __future__ import annotations

from apimachinery.errors import ApiError, NotFound
from apimachinery.meta import (
    Obj,
    annotations_of,
    controller_of,
    is_controlled_by,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)
from apimachinery.pods import node_name
from apimachinery.resourceclaims import (
    FINALIZER,
    POD_CLAIM,
    PodClaim,
    can_be_reserved,
    extended_claim,
    is_allocated,
    is_done,
    is_reserved_for,
    pod_claims,
    reservation,
    users,
)
from nodes.client.controller import DONE, Loop, Result
from nodes.client.events import WARNING
from nodes.client.lister import Key, key_of
from nodes.client.resources import PODS, RESOURCECLAIMS, RESOURCECLAIMTEMPLATES
from nodes.controllers.common.base import ManagedController, ManagerContext

# Under this name it writes into the status of pods.
MANAGER = "ResourceClaimController"
_TEMPLATE, _CLAIM = "claim template", "claim"
# Room for five random characters in a name of 63.
_LONGEST_BASE = 57


class _CannotMake(Exception):
    """Why a pod's claim cannot be made now."""


class ResourceClaimController(ManagedController):
    """Keys are pods; claims have a queue of their own."""

    name = "resourceclaim-controller"
    service_account = "resource-claim-controller"
    component = "resource_claim"
    reconciles = PODS
    workers = 10

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._claims: Loop[Key] = Loop("resource claims", context, self._see_to_claim, workers=10)
        # Claims that were made and that the cache does not show yet, by pod and name there.
        self._made: dict[tuple[str, str], Obj] = {}

    # What wakes it.

    def start(self) -> None:
        self.informer(PODS).add_index(_TEMPLATE, _templates)
        self.informer(PODS).add_index(_CLAIM, _claims)
        self.informer(PODS).on_change(self._on_pod)
        self.informer(RESOURCECLAIMS).on_change(self._on_claim)
        self.informer(RESOURCECLAIMTEMPLATES).on_change(self._on_template)

    def release(self) -> None:
        super().release()
        self._claims.release()

    def stop(self) -> None:
        super().stop()
        self._claims.stop()

    @property
    def idle(self) -> bool:
        return super().idle and self._claims.idle

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        pod = new if new is not None else old
        if pod is None:
            return
        done = new is None or is_done(new)
        if done and (extended := extended_claim(pod)):
            self._claims.queue.add(Key(namespace_of(pod), extended))
        if not (pod.get("spec") or {}).get("resourceClaims"):
            return
        if not done:
            self.queue.add(key_of(pod))
            return
        for claim in pod_claims(pod):
            self._made.pop((uid_of(pod), claim.name), None)
            if claim.claim:
                self._claims.queue.add(Key(namespace_of(pod), claim.claim))

    def _on_claim(self, old: Obj | None, new: Obj | None) -> None:
        claim = new if new is not None else old
        if claim is None:
            return
        if new is not None:
            self._claims.queue.add(key_of(new))
            owner = controller_of(new) or {}
            made_for = annotations_of(new).get(POD_CLAIM, "")
            self._made.pop((str(owner.get("uid")), made_for), None)
        for pod in self.informer(PODS).by_index(_CLAIM, str(key_of(claim))):
            self.queue.add(key_of(pod))

    def _on_template(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None:
            for pod in self.informer(PODS).by_index(_TEMPLATE, str(key_of(new))):
                self.queue.add(key_of(pod))

    # Pods.

    async def reconcile(self, key: Key) -> Result:
        pod = self.informer(PODS).get(*key)
        if pod is None or is_deleting(pod) or is_done(pod):
            return DONE
        names: dict[str, str] = {}
        for claim in pod_claims(pod):
            try:
                made = await self._claim_for(pod, claim)
            except (_CannotMake, ApiError) as error:
                why = error.message if isinstance(error, ApiError) else str(error)
                words = f"PodResourceClaim {claim.name}: {why}"
                self.recorder.event(pod, WARNING, "FailedResourceClaimCreation", words)
                if isinstance(error, ApiError):
                    raise
                return DONE  # the template's coming wakes the pod
            if made:
                names[claim.name] = made
        if any(claim.claim != names.get(claim.name, claim.claim) for claim in pod_claims(pod)):
            await self._tell_names(pod, names)
            return DONE
        if node_name(pod):
            await self._reserve(pod)
        return DONE

    async def _claim_for(self, pod: Obj, claim: PodClaim) -> str:
        """Return the name of the claim that was made of a template, "" where there is no need."""
        if not claim.template or not claim.needed:
            return ""
        known = self.informer(RESOURCECLAIMS).get(namespace_of(pod), claim.claim)
        if known is None:
            known = self._made.get((uid_of(pod), claim.name)) or self._orphan(pod, claim.name)
        if known is not None:
            if not is_controlled_by(known, pod):
                raise _CannotMake(
                    f"ResourceClaim {namespace_of(pod)}/{name_of(known)} was not created for Pod"
                    f" {namespace_of(pod)}/{name_of(pod)} (Pod is not owner)"
                )
            return name_of(known)
        template = self.informer(RESOURCECLAIMTEMPLATES).get(namespace_of(pod), claim.template)
        if template is None:
            raise _CannotMake(
                f'resource claim template "{claim.template}":'
                f' resourceclaimtemplate.resource.k8s.io "{claim.template}" not found'
            )
        made = await self.client.create(build_claim(pod, claim.name, template), RESOURCECLAIMS)
        self._made[uid_of(pod), claim.name] = made
        return name_of(made)

    def _orphan(self, pod: Obj, name: str) -> Obj | None:
        """Return a claim that was made for the pod, though the pod does not say so."""
        for one in self.informer(RESOURCECLAIMS).owned_by(pod):
            if annotations_of(one).get(POD_CLAIM) == name:
                return one
        return None

    async def _tell_names(self, pod: Obj, names: dict[str, str]) -> None:
        statuses = [{"name": name, "resourceClaimName": made} for name, made in names.items()]
        body: Obj = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name_of(pod), "namespace": namespace_of(pod)},
            "status": {"resourceClaimStatuses": statuses},
        }
        await self.client.apply(PODS, body, MANAGER, subresource="status")

    async def _reserve(self, pod: Obj) -> None:
        """Reserve what a pod was bound without, by somebody else than the scheduler."""
        for wanted in pod_claims(pod):
            claim = self.informer(RESOURCECLAIMS).get(namespace_of(pod), wanted.claim)
            if claim is None or (wanted.template and not is_controlled_by(claim, pod)):
                continue
            if not is_allocated(claim) or is_reserved_for(claim, pod):
                continue
            if can_be_reserved(claim):
                status = {**claim["status"], "reservedFor": [*users(claim), reservation(pod)]}
                await self.client.update_status({**claim, "status": status}, RESOURCECLAIMS)

    # Claims.

    async def _see_to_claim(self, key: Key) -> Result:
        claim = self.informer(RESOURCECLAIMS).get(*key)
        if claim is None:
            return DONE
        staying = [one for one in users(claim) if await self._stays(claim, one)]
        protected = FINALIZER in (claim["metadata"].get("finalizers") or ())
        freed = len(staying) < len(users(claim))
        if freed or (protected and is_deleting(claim) and not staying):
            claim = await self._give_back(claim, staying, protected=protected, freed=freed)
        if not staying:
            await self._delete_unused(claim)
        return DONE

    async def _stays(self, claim: Obj, user: Obj) -> bool:
        """Tell whether somebody who has a claim may still use it; only pods are known to end."""
        if user.get("apiGroup") or user.get("resource") != "pods":
            return True
        where = (namespace_of(claim), user["name"])
        pod = self.informer(PODS).get(*where)
        if pod is None:
            # The cache may not show it yet.
            pod = await self.client.find(PODS, *where)
        return pod is not None and uid_of(pod) == user.get("uid") and not is_done(pod)

    async def _give_back(
        self, claim: Obj, staying: list[Obj], *, protected: bool, freed: bool
    ) -> Obj:
        """Take the claim from those who are done with it, and the devices with the last one."""
        status = {k: v for k, v in (claim.get("status") or {}).items() if k != "reservedFor"}
        if staying:
            status["reservedFor"] = staying
        elif protected:
            status.pop("allocation", None)
        if freed or status != (claim.get("status") or {}):
            claim = await self.client.update_status({**claim, "status": status}, RESOURCECLAIMS)
        if protected and not is_allocated(claim):
            left = [one for one in claim["metadata"]["finalizers"] if one != FINALIZER]
            metadata = {**claim["metadata"], "finalizers": left}
            claim = await self.client.update({**claim, "metadata": metadata}, "", RESOURCECLAIMS)
        return claim

    async def _delete_unused(self, claim: Obj) -> None:
        """Delete what was made for a pod that is done; of pods that are gone others see to it."""
        owner = controller_of(claim)
        if owner is None or owner.get("kind") != PODS.kind or is_deleting(claim):
            return
        pod = self.informer(PODS).get(namespace_of(claim), owner["name"])
        if pod is None or (uid_of(pod) == owner.get("uid") and not is_done(pod)):
            return
        try:
            await self.client.delete(RESOURCECLAIMS, namespace_of(claim), name_of(claim))
        except NotFound:
            return


def build_claim(pod: Obj, name: str, template: Obj) -> Obj:
    """Build the claim of a pod: its name tells both, cut in proportion."""
    given = template["spec"].get("metadata") or {}
    base = f"{name_of(pod)}-{name}-"
    if len(base) > _LONGEST_BASE:
        first, second = (
            text[: len(text) * _LONGEST_BASE // len(base)] for text in (name_of(pod), name)
        )
        base = f"{first}-{second}"
    metadata: Obj = {
        "generateName": base,
        "namespace": namespace_of(pod),
        "ownerReferences": [owner_reference(pod)],
        "annotations": {**(given.get("annotations") or {}), POD_CLAIM: name},
    }
    if labels := labels_of({"metadata": given}):
        metadata["labels"] = labels
    return {
        "apiVersion": RESOURCECLAIMS.api_version,
        "kind": RESOURCECLAIMS.kind,
        "metadata": metadata,
        "spec": template["spec"]["spec"],
    }


def _templates(pod: Obj) -> list[str]:
    return [f"{namespace_of(pod)}/{claim.template}" for claim in pod_claims(pod) if claim.template]


def _claims(pod: Obj) -> list[str]:
    return [f"{namespace_of(pod)}/{claim.claim}" for claim in pod_claims(pod) if claim.claim]
