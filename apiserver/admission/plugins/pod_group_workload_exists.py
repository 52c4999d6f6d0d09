"""PodGroupWorkloadExists: a PodGroup is made after a template that there is."""

from __future__ import annotations

from apiserver.admission.interfaces import CREATE, AdmissionRequest, Rule
from apiserver.registry.strategy import ObjectReader


class PodGroupWorkloadExists:
    """Refuses PodGroups whose Workload, or whose template in it, does not exist."""

    name = "PodGroupWorkloadExists"
    handles = Rule(("podgroups.scheduling.k8s.io",), (CREATE,))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def validate(self, request: AdmissionRequest) -> None:
        spec = (request.object or {}).get("spec") or {}
        reference = (spec.get("podGroupTemplateRef") or {}).get("workload")
        if reference is None:
            return
        name = reference.get("workloadName") or ""
        template = reference.get("podGroupTemplateName") or ""
        workload = self._objects.get("workloads.scheduling.k8s.io", request.namespace, name)
        if workload is None:
            raise request.refusal(f'PodGroup rejected: Workload "{name}" not found')
        templates = workload["spec"].get("podGroupTemplates") or ()
        if all(one.get("name") != template for one in templates):
            raise request.refusal(
                f'PodGroup rejected: PodGroupTemplate "{template}" not found in Workload "{name}"'
            )
