"""JobValidation: the size of a gang is for good, so that a Job's number of pods is, too."""

from __future__ import annotations

from apimachinery.features import GENERIC_WORKLOAD
from apimachinery.meta import Obj, is_controlled_by, name_of
from apiserver.admission.interfaces import UPDATE, AdmissionRequest, Rule
from apiserver.registry import gates
from apiserver.registry.strategy import ObjectReader

_GROUPS = "podgroups.scheduling.k8s.io"


class JobValidation:
    """Refuses another parallelism for Jobs whose pods are scheduled as a gang."""

    name = "JobValidation"
    handles = Rule(("jobs.batch",), (UPDATE,))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def validate(self, request: AdmissionRequest) -> None:
        new, old = request.object, request.old_object
        if new is None or old is None or not gates.enabled(GENERIC_WORKLOAD):
            return
        if new["spec"].get("parallelism") == old["spec"].get("parallelism"):
            return
        for group in self._groups(request.namespace, old):
            if group["spec"]["schedulingPolicy"].get("gang") is not None:
                raise request.refusal(
                    "cannot change parallelism for a Job referencing gang-scheduled PodGroup "
                    f'"{name_of(group)}"'
                )

    def _groups(self, namespace: str, job: Obj) -> list[Obj]:
        """Return the groups of a Job: the one that its pods name, or those that it controls."""
        given = job["spec"]["template"]["spec"].get("schedulingGroup") or {}
        if name := given.get("podGroupName"):
            found = self._objects.get(_GROUPS, namespace, name)
            return [found] if found is not None else []
        return [
            group
            for group in self._objects.list(_GROUPS, namespace)
            if is_controlled_by(group, job)
        ]
