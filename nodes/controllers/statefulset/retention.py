"""Who owns the claims of a StatefulSet's pods: what goes, takes its claims along.

A claim belongs to the set when it is to go with the set (`whenDeleted`), and to its pod once
that is to be scaled away (`whenScaled`); otherwise to nobody. The garbage collector does the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.meta import Obj, name_of, namespace_of, owner_reference
from nodes.client.events import WARNING, Recorder
from nodes.client.lister import Lister
from nodes.client.resources import PERSISTENTVOLUMECLAIMS
from nodes.client.rest import Client
from nodes.controllers.statefulset import identity


def deletes_when(statefulset: Obj, when: str) -> bool:
    """Tell whether claims go, `when` being "whenDeleted" or "whenScaled"."""
    policy = statefulset["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return bool(policy.get(when) == "Delete")


def has_other_controller(claim: Obj, statefulset: Obj, pod: Obj) -> bool:
    return any(one.get("controller") for one in _others(claim, statefulset, pod))


def owners(claim: Obj, statefulset: Obj, pod: Obj, *, condemned: bool) -> list[Obj]:
    """Return the owners that the policy gives a claim; those of others stay.

    `condemned`: the pod is to go, because the set has become smaller.
    """
    kept = _others(claim, statefulset, pod)
    if any(one.get("controller") for one in kept):
        return kept
    if condemned and deletes_when(statefulset, "whenScaled"):
        return [*kept, owner_reference(pod)]
    if deletes_when(statefulset, "whenDeleted"):
        return [*kept, owner_reference(statefulset)]
    return kept


class Retention:
    """Keeps the owners of claims as the policy has them."""

    def __init__(self, client: Client, recorder: Recorder, claims: Lister) -> None:
        self._client, self._recorder, self._claims = client, recorder, claims

    def claims_of(self, statefulset: Obj, pod: str) -> Iterator[Obj]:
        """Yield those of a pod's claims that are there."""
        for template in statefulset["spec"].get("volumeClaimTemplates") or ():
            name = identity.claim_name(template, pod)
            if (claim := self._claims.get(namespace_of(statefulset), name)) is not None:
                yield claim

    def blocks(self, statefulset: Obj, pod: str) -> bool:
        """Tell whether a pod has to wait until the claims of its predecessor are gone."""
        if not deletes_when(statefulset, "whenScaled"):
            return False
        return any(_is_of_pod(claim, pod) for claim in self.claims_of(statefulset, pod))

    async def keep(self, statefulset: Obj, pod: Obj, *, condemned: bool) -> None:
        """Bring the owners of a pod's claims in line."""
        for claim in self.claims_of(statefulset, name_of(pod)):
            now = owners(claim, statefulset, pod, condemned=condemned)
            if _same(now, _given(claim)):
                continue
            if has_other_controller(claim, statefulset, pod):
                why = (
                    f"PersistentVolumeClaim {name_of(claim)} has a conflicting OwnerReference that"
                    " acts as a managing controller, the retention policy is ignored for this claim"
                )
                self._recorder.event(statefulset, WARNING, "ConflictingController", why)
            changed = {**claim, "metadata": {**claim["metadata"], "ownerReferences": now}}
            await self._client.update(changed, resource=PERSISTENTVOLUMECLAIMS)


def _is_of_pod(claim: Obj, pod: str) -> bool:
    """Tell whether a claim goes with an earlier pod of that name."""
    return any(_is_named(one, "Pod", pod) for one in _given(claim))


def _given(claim: Obj) -> list[Obj]:
    return claim["metadata"].get("ownerReferences") or []


def _others(claim: Obj, statefulset: Obj, pod: Obj) -> list[Obj]:
    return [
        one
        for one in _given(claim)
        if not _is_named(one, "StatefulSet", name_of(statefulset))
        and not _is_named(one, "Pod", name_of(pod))
    ]


def _is_named(reference: Obj, kind: str, name: str) -> bool:
    return reference.get("kind") == kind and reference.get("name") == name


def _same(one: list[Obj], other: list[Obj]) -> bool:
    """Compare owners whatever their order."""
    return len(one) == len(other) and all(reference in other for reference in one)
