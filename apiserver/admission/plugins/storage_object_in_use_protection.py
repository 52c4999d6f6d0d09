"""StorageObjectInUseProtection: claims and volumes go only when nothing uses them any more."""

from __future__ import annotations

from apiserver.admission.interfaces import CREATE, AdmissionRequest, Rule

FINALIZERS = {
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
}


class StorageObjectInUseProtection:
    """Adds the finalizer that a controller removes once the object is free."""

    name = "StorageObjectInUseProtection"
    handles = Rule(tuple(FINALIZERS), (CREATE,))

    def admit(self, request: AdmissionRequest) -> None:
        if request.object is None:
            return
        metadata = request.object.setdefault("metadata", {})
        finalizer = FINALIZERS[request.resource.resource]
        present = metadata.get("finalizers") or []
        if finalizer not in present:
            metadata["finalizers"] = [*present, finalizer]
