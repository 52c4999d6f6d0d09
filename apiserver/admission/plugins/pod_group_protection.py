"""PodGroupProtection: a PodGroup goes only when no pod of it is at work any more."""

from __future__ import annotations

from apiserver.admission.interfaces import CREATE, AdmissionRequest, Rule

FINALIZER = "scheduling.k8s.io/podgroup-protection"


class PodGroupProtection:
    """Adds the finalizer that a controller removes once the group is free."""

    name = "PodGroupProtection"
    handles = Rule(("podgroups.scheduling.k8s.io",), (CREATE,))

    def admit(self, request: AdmissionRequest) -> None:
        if request.object is None:
            return
        metadata = request.object.setdefault("metadata", {})
        present = metadata.get("finalizers") or []
        if FINALIZER not in present:
            metadata["finalizers"] = [*present, FINALIZER]
