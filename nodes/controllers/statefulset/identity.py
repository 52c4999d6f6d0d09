"""Who a StatefulSet's pods are: their ordinals, names, labels and claims. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from apimachinery.meta import Obj, labels_of, name_of, namespace_of, owner_reference
from apimachinery.pods import is_ready, phase_of
from nodes.controllers.common.revisions import POD_HASH

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
_ORDINAL = re.compile(r"(.*)-([0-9]+)\Z")


def ordinal_of(statefulset: Obj, pod: Obj) -> int:
    """Return the ordinal in a pod's name, -1 if it is not named after the set."""
    match = _ORDINAL.match(name_of(pod))
    if match is None or match.group(1) != name_of(statefulset):
        return -1
    return int(match.group(2))


def first_ordinal(statefulset: Obj) -> int:
    return int((statefulset["spec"].get("ordinals") or {}).get("start") or 0)


def pod_name(statefulset: Obj, ordinal: int) -> str:
    return f"{name_of(statefulset)}-{ordinal}"


def revision_of(pod: Obj) -> str:
    return labels_of(pod).get(POD_HASH, "")


def is_running_and_ready(pod: Obj) -> bool:
    return phase_of(pod) == "Running" and is_ready(pod)


def claim_name(claim: Obj, pod: str) -> str:
    return f"{name_of(claim)}-{pod}"


def is_claim_of(statefulset: Obj, claim: str) -> bool:
    """Tell whether a claim has a name that one of the set's pods gives it."""
    return any(
        claim.startswith(f"{name_of(one)}-{name_of(statefulset)}-")
        for one in statefulset["spec"].get("volumeClaimTemplates") or ()
    )


def build_pod(statefulset: Obj, template: Obj, ordinal: int, revision: str) -> Obj:
    """Build the pod of an ordinal, as a revision's template makes it."""
    name = pod_name(statefulset, ordinal)
    given = template.get("metadata") or {}
    metadata: Obj = {
        "name": name,
        "generateName": f"{name_of(statefulset)}-",
        "namespace": namespace_of(statefulset),
        "labels": {
            **(given.get("labels") or {}),
            POD_NAME: name,
            POD_INDEX: str(ordinal),
            POD_HASH: revision,
        },
        "ownerReferences": [owner_reference(statefulset)],
    }
    for field in ("annotations", "finalizers"):
        if given.get(field):
            metadata[field] = given[field]
    spec = {
        **template["spec"],
        "hostname": name,
        "subdomain": statefulset["spec"].get("serviceName") or "",
    }
    claims = statefulset["spec"].get("volumeClaimTemplates") or ()
    if claims:
        spec["volumes"] = _volumes(spec.get("volumes") or (), claims, name)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def has_its_volumes(statefulset: Obj, pod: Obj) -> bool:
    """Tell whether each claim of the set is one of a pod's volumes."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    for claim in statefulset["spec"].get("volumeClaimTemplates") or ():
        named = volumes.get(name_of(claim), {}).get("persistentVolumeClaim") or {}
        if named.get("claimName") != claim_name(claim, name_of(pod)):
            return False
    return True


def repaired(statefulset: Obj, pod: Obj) -> Obj:
    """Return a pod with the labels and volumes that its name gives it; itself if it has them.

    As in Kubernetes the label of the index is only looked at where that of the name is wrong.
    """
    name, labels = name_of(pod), labels_of(pod)
    named, mounted = labels.get(POD_NAME) == name, has_its_volumes(statefulset, pod)
    if named and mounted:
        return pod
    made = {**pod, "metadata": {**pod["metadata"]}, "spec": {**pod["spec"]}}
    if not named:
        index = str(ordinal_of(statefulset, pod))
        made["metadata"]["labels"] = {**labels, POD_NAME: name, POD_INDEX: index}
    if not mounted:
        claims = statefulset["spec"].get("volumeClaimTemplates") or ()
        made["spec"]["volumes"] = _volumes(pod["spec"].get("volumes") or (), claims, name)
    return made


def _volumes(given: Iterable[Obj], claims: Iterable[Obj], pod: str) -> list[Obj]:
    """A claim of the set stands for a volume of that name, whatever the template says."""
    made = {
        name_of(claim): {
            "name": name_of(claim),
            "persistentVolumeClaim": {"claimName": claim_name(claim, pod)},
        }
        for claim in claims
    }
    return [*made.values(), *(volume for volume in given if volume["name"] not in made)]


def build_claims(statefulset: Obj, pod: str) -> list[Obj]:
    """Build the claims of a pod: they outlive it and are found again by name."""
    selected = (statefulset["spec"].get("selector") or {}).get("matchLabels") or {}
    found = []
    for claim in statefulset["spec"].get("volumeClaimTemplates") or ():
        metadata = {
            **claim["metadata"],
            "name": claim_name(claim, pod),
            "namespace": namespace_of(statefulset),
            "labels": {**labels_of(claim), **selected},
        }
        metadata.pop("creationTimestamp", None)
        found.append(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": metadata,
                "spec": claim["spec"],
            }
        )
    return found
