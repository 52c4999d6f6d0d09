"""Claims of devices: which a pod has, whose a claim is, and who may use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from apimachinery.meta import Obj, controller_of, is_controlled_by, is_deleting, name_of, uid_of
from apimachinery.pods import group_name, is_terminal, node_name

# Which of the claims in a pod's spec a ResourceClaim was made for.
POD_CLAIM = "resource.kubernetes.io/pod-claim-name"
# "true" on the claim that the scheduler makes for a pod's extended resources.
EXTENDED_CLAIM = "resource.kubernetes.io/extended-resource-claim"
# Each class of devices stands for an extended resource: this, and the name of the class.
IMPLICIT = "deviceclass.resource.kubernetes.io/"
# What a claim that has devices is held by.
FINALIZER = "resource.kubernetes.io/delete-protection"
# As many pods may use one claim.
MOST_USERS = 256


# Who a claim is reserved for beside pods.
_GROUP = {"apiGroup": "scheduling.k8s.io", "resource": "podgroups"}


class PodClaim(NamedTuple):
    """A claim in the spec of a pod, or of a PodGroup.

    claim: the name of the ResourceClaim, "" while there is none.
    template: what it is made of, "" for one that somebody else has made.
    needed: False where it has turned out that none is needed.
    """

    name: str
    claim: str
    template: str
    needed: bool = True


def pod_claims(pod: Mapping[str, Any]) -> Iterator[PodClaim]:
    """Yield the claims of a pod, or of a PodGroup, in the order of its spec."""
    wanted = (pod.get("spec") or {}).get("resourceClaims")
    if not wanted:
        return
    made = {
        one["name"]: one for one in (pod.get("status") or {}).get("resourceClaimStatuses") or ()
    }
    for one in wanted:
        if given := one.get("resourceClaimName"):
            yield PodClaim(one["name"], given, "")
            continue
        known = made.get(one["name"])
        claim = (known or {}).get("resourceClaimName") or ""
        template = one.get("resourceClaimTemplateName") or ""
        yield PodClaim(one["name"], claim, template, needed=known is None or bool(claim))


def wishes(request: Mapping[str, Any]) -> Sequence[Obj]:
    """Return what a request of a claim would take: one thing, or alternatives in their order."""
    return request.get("firstAvailable") or (request.get("exactly") or {},)


def shared_claims(pod: Mapping[str, Any], group: Mapping[str, Any] | None) -> set[str]:
    """Return the names of the claims that a pod has together with its group: both ask alike."""
    wanted = ((group or {}).get("spec") or {}).get("resourceClaims") or ()
    return {one["name"] for one in pod["spec"].get("resourceClaims") or () if one in wanted}


def is_made_for(claim: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    """Tell whether a claim was made of a template for a pod, or for its group."""
    if is_controlled_by(claim, pod):
        return True
    owner = controller_of(claim) or {}
    group = str(owner.get("apiVersion") or "").partition("/")[0]
    of_group = owner.get("kind") == "PodGroup" and group == _GROUP["apiGroup"]
    return of_group and owner.get("name") == group_name(pod)


def extended_claim(pod: Mapping[str, Any]) -> str:
    """Return the claim that was made for a pod's extended resources, "" where there is none."""
    told = (pod.get("status") or {}).get("extendedResourceClaimStatus") or {}
    return str(told.get("resourceClaimName") or "")


def users(claim: Mapping[str, Any]) -> list[Obj]:
    """Return who may use the claim now: `status.reservedFor`."""
    return list((claim.get("status") or {}).get("reservedFor") or ())


def is_reserved_for(claim: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    """Tell whether a pod may use a claim, by itself or with its group."""
    group = {**_GROUP, "name": group_name(pod)} if group_name(pod) else None
    return any(
        one.get("uid") == uid_of(pod) or (group is not None and group.items() <= one.items())
        for one in users(claim)
    )


def can_be_reserved(claim: Mapping[str, Any]) -> bool:
    return len(users(claim)) < MOST_USERS


def reservation(user: Mapping[str, Any]) -> Obj:
    """Build the entry of a pod, or of a PodGroup, in `status.reservedFor`."""
    kind = _GROUP if user.get("kind") == "PodGroup" else {"resource": "pods"}
    return {**kind, "name": name_of(user), "uid": uid_of(user)}


def is_group(user: Mapping[str, Any]) -> bool:
    """Tell whether an entry of `status.reservedFor` is that of a PodGroup."""
    return user.items() >= _GROUP.items()


def results(claim: Mapping[str, Any]) -> list[Obj]:
    """Return the devices that a claim has been given."""
    allocation = (claim.get("status") or {}).get("allocation") or {}
    return list((allocation.get("devices") or {}).get("results") or ())


def is_allocated(claim: Mapping[str, Any]) -> bool:
    return bool((claim.get("status") or {}).get("allocation"))


def is_done(pod: Mapping[str, Any]) -> bool:
    """Tell whether no container of a pod runs and none ever will."""
    return is_terminal(pod) or (is_deleting(pod) and not node_name(pod))
