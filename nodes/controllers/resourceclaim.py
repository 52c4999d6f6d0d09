"""Claims of devices: made of templates for pods and their groups, free again when none uses them.

The scheduler gives a claim its devices and reserves it for a pod; this controller takes back what
is reserved for pods that are done, and with the last of them the devices.
"""

from __future__ import annotations

from collections.abc import Collection

from apimachinery.errors import ApiError, NotFound
from apimachinery.features import GROUP_CLAIMS
from apimachinery.meta import (
    Obj,
    controller_of,
    is_controlled_by,
    is_deleting,
    name_of,
    namespace_of,
    uid_of,
)
from apimachinery.pods import group_name, node_name
from apimachinery.resourceclaims import (
    FINALIZER,
    PodClaim,
    can_be_reserved,
    extended_claim,
    is_allocated,
    is_done,
    is_group,
    is_made_for,
    is_reserved_for,
    pod_claims,
    reservation,
    shared_claims,
    users,
)
from nodes.client.controller import DONE, Loop, Result
from nodes.client.events import WARNING
from nodes.client.lister import Key, key_of
from nodes.client.resources import PODGROUPS, PODS, RESOURCECLAIMS, RESOURCECLAIMTEMPLATES, Res
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.claimmaker import CannotMakeError, ClaimMaker

# Under this name it writes into the status of pods.
MANAGER = "ResourceClaimController"
_TEMPLATE, _CLAIM, _GROUP = "claim template", "claim", "group of claims"


class ResourceClaimController(ManagedController):
    """Keys are pods; claims have a queue of their own, and groups where they may have claims."""

    name = "resourceclaim-controller"
    service_account = "resource-claim-controller"
    component = "resource_claim"
    reconciles = PODS
    workers = 10

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._claims = self.also("resource claims", self._see_to_claim, workers=10)
        self._groups: Loop[Key] | None = None
        if GROUP_CLAIMS in context.served.features:
            name = "resource claims of groups"
            self._groups = self.also(name, self._see_to_group, workers=10)

    # What wakes it.

    def start(self) -> None:
        claims, templates = self.informer(RESOURCECLAIMS), self.informer(RESOURCECLAIMTEMPLATES)
        self._maker = ClaimMaker(self.client, claims, templates)
        self.informer(PODS).add_index(_TEMPLATE, _templates)
        self.informer(PODS).add_index(_CLAIM, _claims)
        if self._groups is not None:
            self.informer(PODS).add_index(_GROUP, _group)
            self.informer(PODGROUPS).on_change(self._on_group)
        self.informer(PODS).on_change(self._on_pod)
        self.informer(RESOURCECLAIMS).on_change(self._on_claim)
        self.informer(RESOURCECLAIMTEMPLATES).on_change(self._on_template)

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
            self._maker.forget(pod, claim)
            if claim.claim:
                self._claims.queue.add(Key(namespace_of(pod), claim.claim))

    def _on_claim(self, old: Obj | None, new: Obj | None) -> None:
        claim = new if new is not None else old
        if claim is None:
            return
        if new is not None:
            self._claims.queue.add(key_of(new))
            self._maker.seen(new)
        for pod in self.informer(PODS).by_index(_CLAIM, str(key_of(claim))):
            self.queue.add(key_of(pod))
        owner = controller_of(claim) or {}
        if self._groups is not None and owner.get("kind") == PODGROUPS.kind:
            key = Key(namespace_of(claim), owner["name"])
            self._groups.queue.add(key)
            self._wake_members(key)

    def _on_group(self, old: Obj | None, new: Obj | None) -> None:
        group = new if new is not None else old
        if group is None or self._groups is None:
            return
        if new is not None:
            self._groups.queue.add(key_of(new))
        else:
            for claim in pod_claims(group):
                self._maker.forget(group, claim)
                if claim.claim:
                    self._claims.queue.add(Key(namespace_of(group), claim.claim))
        self._wake_members(key_of(group))

    def _wake_members(self, group: Key) -> None:
        for pod in self.informer(PODS).by_index(_GROUP, str(group)):
            self.queue.add(key_of(pod))

    def _on_template(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None:
            for pod in self.informer(PODS).by_index(_TEMPLATE, str(key_of(new))):
                self.queue.add(key_of(pod))
            if self._groups is not None:
                for group in self.informer(PODGROUPS).list(namespace_of(new)):
                    if name_of(new) in {claim.template for claim in pod_claims(group)}:
                        self._groups.queue.add(key_of(group))

    # Pods.

    async def reconcile(self, key: Key) -> Result:
        pod = self.informer(PODS).get(*key)
        if pod is None or is_deleting(pod) or is_done(pod):
            return DONE
        group = self._group_of(pod)
        if group is None and self._groups is not None and group_name(pod):
            return DONE  # whose the claims are is not known before the group is there
        shared = shared_claims(pod, group)
        names = await self._names(pod, group, shared)
        if names is None:
            return DONE  # the template's coming wakes the pod
        if any(claim.claim != names.get(claim.name, claim.claim) for claim in pod_claims(pod)):
            await self._tell_names(pod, PODS, names)
            return DONE
        if node_name(pod):
            await self._reserve(pod, group, shared)
        return DONE

    def _group_of(self, pod: Obj) -> Obj | None:
        if self._groups is None or not group_name(pod):
            return None
        return self.informer(PODGROUPS).get(namespace_of(pod), group_name(pod))

    async def _names(
        self, owner: Obj, group: Obj | None = None, shared: Collection[str] = ()
    ) -> dict[str, str] | None:
        """Return the claims of a pod or a group that are made of templates; None where one cannot
        be made. `shared` are those that are made for the group.
        """
        names: dict[str, str] = {}
        for claim in pod_claims(owner):
            try:
                if group is not None and claim.name in shared:
                    made = self._of_group(group, claim)
                else:
                    made = await self._maker.claim_for(owner, claim)
            except (CannotMakeError, ApiError) as error:
                why = error.message if isinstance(error, ApiError) else str(error)
                words = f"{owner['kind']}ResourceClaim {claim.name}: {why}"
                self.recorder.event(owner, WARNING, "FailedResourceClaimCreation", words)
                if isinstance(error, ApiError):
                    raise
                return None
            if made:
                names[claim.name] = made
        return names

    def _of_group(self, group: Obj, claim: PodClaim) -> str:
        """Return the claim that was made for a group, "" while there is none."""
        if not claim.template:
            return ""
        theirs = next(one for one in pod_claims(group) if one.name == claim.name)
        known = self._maker.known(group, theirs)
        return name_of(known) if known is not None and is_controlled_by(known, group) else ""

    async def _see_to_group(self, key: Key) -> Result:
        group = self.informer(PODGROUPS).get(*key)
        if group is None or is_deleting(group):
            return DONE
        names = await self._names(group) or {}
        if any(claim.claim != names.get(claim.name, claim.claim) for claim in pod_claims(group)):
            await self._tell_names(group, PODGROUPS, names)
        return DONE

    async def _tell_names(self, owner: Obj, resource: Res, names: dict[str, str]) -> None:
        statuses = [{"name": name, "resourceClaimName": made} for name, made in names.items()]
        body: Obj = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": name_of(owner), "namespace": namespace_of(owner)},
            "status": {"resourceClaimStatuses": statuses},
        }
        await self.client.apply(resource, body, MANAGER, subresource="status")

    async def _reserve(self, pod: Obj, group: Obj | None, shared: Collection[str]) -> None:
        """Reserve what a pod was bound without, by somebody else than the scheduler."""
        for wanted in pod_claims(pod):
            claim = self.informer(RESOURCECLAIMS).get(namespace_of(pod), wanted.claim)
            if claim is None or (wanted.template and not is_made_for(claim, pod)):
                continue
            if not is_allocated(claim) or is_reserved_for(claim, pod):
                continue
            if can_be_reserved(claim):
                user = group if group is not None and wanted.name in shared else pod
                status = {**claim["status"], "reservedFor": [*users(claim), reservation(user)]}
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
        """Tell whether somebody who has a claim may still use it; only pods and their groups are
        known to end.
        """
        if is_group(user) and self._groups is not None:
            group = self.informer(PODGROUPS).get(namespace_of(claim), user["name"])
            if group is None:
                group = await self.client.find(PODGROUPS, namespace_of(claim), user["name"])
            return group is not None and uid_of(group) == user.get("uid")
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


def _templates(pod: Obj) -> list[str]:
    return [f"{namespace_of(pod)}/{claim.template}" for claim in pod_claims(pod) if claim.template]


def _claims(pod: Obj) -> list[str]:
    return [f"{namespace_of(pod)}/{claim.claim}" for claim in pod_claims(pod) if claim.claim]


def _group(pod: Obj) -> list[str]:
    asks = group_name(pod) and pod["spec"].get("resourceClaims")
    return [f"{namespace_of(pod)}/{group_name(pod)}"] if asks else []
