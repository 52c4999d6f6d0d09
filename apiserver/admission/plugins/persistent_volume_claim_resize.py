"""PersistentVolumeClaimResize: a claim grows only where its storage class allows that."""

from __future__ import annotations

from apimachinery.meta import Obj, annotations_of
from apimachinery.quantity import Quantity, parse
from apiserver.admission.interfaces import UPDATE, AdmissionRequest, Rule
from apiserver.registry.strategy import ObjectReader

CLAIM_CLASS = "volume.beta.kubernetes.io/storage-class"
CLASSES = "storageclasses.storage.k8s.io"


class PersistentVolumeClaimResize:
    """Refuses growth of claims that are not bound, or whose class does not expand volumes."""

    name = "PersistentVolumeClaimResize"
    handles = Rule(("persistentvolumeclaims",), (UPDATE,))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def validate(self, request: AdmissionRequest) -> None:
        new, old = request.object, request.old_object
        if new is None or old is None or _size(new) <= _size(old):
            return
        if (old.get("status") or {}).get("phase") != "Bound":
            raise request.refusal("Only bound persistent volume claims can be expanded")
        if not self._expandable(new, old):
            raise request.refusal(
                "only dynamically provisioned pvc can be resized and the storageclass that "
                "provisions the pvc must support resize"
            )

    def _expandable(self, new: Obj, old: Obj) -> bool:
        name = _class(new)
        if not name or name != _class(old):
            return False
        found = self._objects.get(CLASSES, "", name)
        return found is not None and bool(found.get("allowVolumeExpansion"))


def _size(claim: Obj) -> Quantity:
    spec = claim.get("spec") or {}
    return parse(((spec.get("resources") or {}).get("requests") or {}).get("storage"))


def _class(claim: Obj) -> str:
    """Return a claim's class; the annotation of old days counts for more."""
    if (named := annotations_of(claim).get(CLAIM_CLASS)) is not None:
        return named
    return (claim.get("spec") or {}).get("storageClassName") or ""
