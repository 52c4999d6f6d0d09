"""PodGroupProtection: a PodGroup goes only when no pod of it is at work any more."""

from __future__ import annotations

from apimachinery.workloads import GROUP_FINALIZER
from apiserver.admission.interfaces import CREATE, AdmissionRequest, Rule


class PodGroupProtection:
    """Adds the finalizer that a controller removes once the group is free."""

    name = "PodGroupProtection"
    handles = Rule(("podgroups.scheduling.k8s.io",), (CREATE,))

    def admit(self, request: AdmissionRequest) -> None:
        if request.object is None:
            return
        metadata = request.object.setdefault("metadata", {})
        present = metadata.get("finalizers") or []
        if GROUP_FINALIZER not in present:
            metadata["finalizers"] = [*present, GROUP_FINALIZER]
