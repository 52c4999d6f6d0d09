"""DefaultStorageClass: a claim that names no class gets the one marked as default."""

from __future__ import annotations

from apimachinery.meta import Obj, annotations_of, name_of
from apiserver.admission.interfaces import CREATE, AdmissionRequest, Rule
from apiserver.registry.strategy import ObjectReader

CLASSES = "storageclasses.storage.k8s.io"
DEFAULT = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
CLAIM_CLASS = "volume.beta.kubernetes.io/storage-class"


class DefaultStorageClass:
    """Fills in spec.storageClassName; an empty one is a choice and stays."""

    name = "DefaultStorageClass"
    handles = Rule(("persistentvolumeclaims",), (CREATE,))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def admit(self, request: AdmissionRequest) -> None:
        claim = request.object
        if claim is None or CLAIM_CLASS in annotations_of(claim):
            return
        spec = claim.setdefault("spec", {})
        if spec.get("storageClassName") is not None:
            return
        default = default_class(self._objects.list(CLASSES))
        if default is not None:
            spec["storageClassName"] = name_of(default)


def default_class(classes: list[Obj]) -> Obj | None:
    """Return the default class: of several the youngest, and of those the first by name."""
    defaults = [each for each in classes if is_default(each)]
    if not defaults:
        return None
    youngest = max(each["metadata"].get("creationTimestamp") or "" for each in defaults)
    return min(
        (e for e in defaults if (e["metadata"].get("creationTimestamp") or "") == youngest),
        key=name_of,
    )


def is_default(storage_class: Obj) -> bool:
    """Tell whether a class is marked as default."""
    annotations = annotations_of(storage_class)
    return any(annotations.get(key) == "true" for key in DEFAULT)
