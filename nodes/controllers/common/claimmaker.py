"""Claims of devices that are made of templates, for pods and for PodGroups."""

from __future__ import annotations

from apimachinery.meta import (
    Obj,
    annotations_of,
    controller_of,
    is_controlled_by,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)
from apimachinery.resourceclaims import POD_CLAIM, PodClaim
from nodes.client.informer import Informer
from nodes.client.resources import RESOURCECLAIMS
from nodes.client.rest import Client

# Room for five random characters in a name of 63.
_LONGEST_BASE = 57


class CannotMakeError(Exception):
    """Why a claim cannot be made now."""


class ClaimMaker:
    """Finds the claims that were made for an owner, or makes them."""

    def __init__(self, client: Client, claims: Informer, templates: Informer) -> None:
        self._client, self._claims, self._templates = client, claims, templates
        # Claims that were made and that the cache does not show yet, by owner and name there.
        self._made: dict[tuple[str, str], Obj] = {}

    def known(self, owner: Obj, claim: PodClaim) -> Obj | None:
        """Return the claim that there is for an owner, also where the owner does not say so."""
        found = self._claims.get(namespace_of(owner), claim.claim)
        return found or self._made.get((uid_of(owner), claim.name)) or self._orphan(owner, claim)

    def _orphan(self, owner: Obj, claim: PodClaim) -> Obj | None:
        for one in self._claims.owned_by(owner):
            if annotations_of(one).get(POD_CLAIM) == claim.name:
                return one
        return None

    async def claim_for(self, owner: Obj, claim: PodClaim) -> str:
        """Return the name of the claim that was made of a template, "" where there is no need.

        Raises CannotMakeError, and ApiError.
        """
        if not claim.template or not claim.needed:
            return ""
        known, namespace, kind = self.known(owner, claim), namespace_of(owner), owner["kind"]
        if known is not None:
            if not is_controlled_by(known, owner):
                raise CannotMakeError(
                    f"ResourceClaim {namespace}/{name_of(known)} was not created for {kind}"
                    f" {namespace}/{name_of(owner)} ({kind} is not owner)"
                )
            return name_of(known)
        template = self._templates.get(namespace, claim.template)
        if template is None:
            raise CannotMakeError(
                f'resource claim template "{claim.template}":'
                f' resourceclaimtemplate.resource.k8s.io "{claim.template}" not found'
            )
        made = await self._client.create(build_claim(owner, claim.name, template), RESOURCECLAIMS)
        self._made[uid_of(owner), claim.name] = made
        return name_of(made)

    def seen(self, claim: Obj) -> None:
        """Take note that the cache shows a claim."""
        owner = controller_of(claim) or {}
        self._made.pop((str(owner.get("uid")), annotations_of(claim).get(POD_CLAIM, "")), None)

    def forget(self, owner: Obj, claim: PodClaim) -> None:
        """Take note that an owner needs a claim no longer."""
        self._made.pop((uid_of(owner), claim.name), None)


def build_claim(owner: Obj, name: str, template: Obj) -> Obj:
    """Build the claim of an owner: its name tells both, cut in proportion."""
    given = template["spec"].get("metadata") or {}
    base = f"{name_of(owner)}-{name}-"
    if len(base) > _LONGEST_BASE:
        first, second = (
            text[: len(text) * _LONGEST_BASE // len(base)] for text in (name_of(owner), name)
        )
        base = f"{first}-{second}"
    metadata: Obj = {
        "generateName": base,
        "namespace": namespace_of(owner),
        "ownerReferences": [owner_reference(owner)],
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
