"""Claims, volumes and classes: which volume suits which claim, and where."""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery.labels import from_label_selector
from apimachinery.meta import (
    Obj,
    annotations_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from apimachinery.nodes import matches_node_selector
from apimachinery.quantity import Quantity, parse

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
PROVISIONER = "volume.kubernetes.io/storage-provisioner"
BETA_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"

SIMULATED = "kubeground.io/simulated"


def class_of(obj: Obj) -> str:
    """Return the class that a claim or volume names, "" if none."""
    beta = annotations_of(obj).get(BETA_CLASS)
    return str(beta if beta is not None else obj["spec"].get("storageClassName") or "")


def names_no_class(claim: Obj) -> bool:
    """Tell whether a claim leaves the class to the cluster; "" is a choice."""
    named = claim["spec"].get("storageClassName") is not None
    return not named and BETA_CLASS not in annotations_of(claim)


def default_class(classes: Iterable[Obj]) -> Obj | None:
    """Return the class marked as default, the newest of several."""
    marked = [one for one in classes if annotations_of(one).get(_DEFAULT_CLASS) == "true"]
    # Of those of one moment, the first by name.
    marked.sort(key=name_of)
    return max(marked, key=lambda one: str(one["metadata"]["creationTimestamp"]), default=None)


def waits_for_consumer(storage_class: Obj | None) -> bool:
    return (
        storage_class is not None
        and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
    )


def requested(claim: Obj) -> Quantity:
    resources = claim["spec"].get("resources") or {}
    return parse((resources.get("requests") or {}).get("storage"))


def capacity(volume: Obj) -> Quantity:
    return parse((volume["spec"].get("capacity") or {}).get("storage"))


def is_bound_to(volume: Obj, claim: Obj) -> bool:
    """Tell whether a volume is this claim's, or reserved for one of its name."""
    reference = volume["spec"].get("claimRef")
    if reference is None:
        return False
    if (reference.get("namespace"), reference.get("name")) != (namespace_of(claim), name_of(claim)):
        return False
    return reference.get("uid") in (None, "", uid_of(claim))


def unfit_reason(volume: Obj, claim: Obj) -> str:
    """Say why a volume that a claim asks for by name is not for it, "" if it is."""
    if is_deleting(volume):
        return f'the volume is marked for deletion "{name_of(volume)}"'
    if capacity(volume) < requested(claim):
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if attributes_of(volume) != attributes_of(claim):
        return "volumeAttributesClassName does not match"
    if not same_mode(volume, claim):
        return "incompatible volumeMode"
    if not _offers_access(volume, claim):
        return "incompatible accessMode"
    return ""


def attributes_of(obj: Obj) -> str:
    """Return the class of attributes that a claim asks for, or that a volume has; "" for none."""
    return str(obj["spec"].get("volumeAttributesClassName") or "")


def same_mode(volume: Obj, claim: Obj) -> bool:
    modes = [one["spec"].get("volumeMode") or "Filesystem" for one in (volume, claim)]
    return bool(modes[0] == modes[1])


def _offers_access(volume: Obj, claim: Obj) -> bool:
    return set(claim["spec"].get("accessModes") or ()) <= set(
        volume["spec"].get("accessModes") or ()
    )


def best_match(
    volumes: Iterable[Obj], claim: Obj, node: Obj | None, *, delayed: bool
) -> Obj | None:
    """Return the volume reserved for a claim, or else the smallest that suits it.

    With `delayed` only what suits the node is taken, and before there is one only what is
    reserved.
    """
    smallest: Obj | None = None
    # Most volumes are somebody's: they are left out before they are compared.
    usable = [one for one in volumes if is_bound_to(one, claim) or _is_free(one, claim)]
    for volume in sorted(usable, key=name_of):
        if is_deleting(volume) or not same_mode(volume, claim):
            continue
        if not _offers_access(volume, claim) or capacity(volume) < requested(claim):
            continue
        if is_bound_to(volume, claim):
            return volume
        if delayed and (node is None or not reaches(volume, node)):
            continue
        if smallest is None or capacity(volume) < capacity(smallest):
            smallest = volume
    return smallest


def _is_free(volume: Obj, claim: Obj) -> bool:
    if volume["spec"].get("claimRef") is not None or class_of(volume) != class_of(claim):
        return False
    if (volume.get("status") or {}).get("phase") != "Available":
        return False
    if attributes_of(volume) != attributes_of(claim):
        return False
    selector = claim["spec"].get("selector")
    return selector is None or from_label_selector(selector).matches(labels_of(volume))


def reaches(volume: Obj, node: Obj) -> bool:
    """Tell whether a volume can be used on a node."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return required is None or matches_node_selector(required, node)


# Who uses a claim.


def claim_name(pod: Obj, volume: Obj) -> str:
    """Return the name of a volume's claim, "" if it has none."""
    if "persistentVolumeClaim" in volume:
        return str(volume["persistentVolumeClaim"].get("claimName") or "")
    return ephemeral_claim_name(pod, volume) if "ephemeral" in volume else ""


def claim_names(pod: Obj) -> list[str]:
    """Return the claims of a pod, those made for its ephemeral volumes included."""
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    return [name for volume in volumes if (name := claim_name(pod, volume))]


def ephemeral_claim_name(pod: Obj, volume: Obj) -> str:
    return f"{name_of(pod)}-{volume['name']}"
