"""The Workload and the PodGroup of a Job whose pods all run at once: they are scheduled as a gang.

Both are made for a Job that has never begun, and belong to it. Where there is more than one of a
kind, or one that is not the Job's, its pods are scheduled one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from apimachinery.errors import AlreadyExists
from apimachinery.meta import Obj, is_controlled_by, name_of, namespace_of, owner_reference, uid_of
from apimachinery.nodes import condition
from apimachinery.workloads import fnv32a, safe_encode
from nodes.client.events import NORMAL, Recorder
from nodes.client.informer import Informer
from nodes.client.resources import JOBS, PODGROUPS, WORKLOADS, Res
from nodes.client.rest import Client
from nodes.controllers.job import facts

_OF_JOB, _OF_WORKLOAD = "job", "workload"
_LONGEST, _LONGEST_LABEL = 253, 63
_FIRST = "-pgt-0"


class Workloads:
    """Finds the groups of Jobs, or makes them."""

    def __init__(
        self, client: Client, recorder: Recorder, informer: Callable[[Res], Informer]
    ) -> None:
        self._client, self._recorder = client, recorder
        self._workloads, self._groups = informer(WORKLOADS), informer(PODGROUPS)
        self._workloads.add_index(_OF_JOB, _jobs)
        self._groups.add_index(_OF_WORKLOAD, _workloads)

    async def group_of(self, job: Obj, pods: Iterable[Obj]) -> str:
        """Return the name of the PodGroup that a Job's pods are to name, "" for none."""
        if not is_gang(job):
            return ""
        workload = await self._workload_of(job, pods)
        if workload is None or len(workload["spec"].get("podGroupTemplates") or ()) != 1:
            return ""
        group = await self._group_of(job, workload)
        return name_of(group) if group is not None else ""

    async def _workload_of(self, job: Obj, pods: Iterable[Obj]) -> Obj | None:
        found = self._workloads.by_index(_OF_JOB, _place(job))
        if found:
            return _only(found, job)
        if not is_new(job, pods):
            return None
        made = await self._create(build_workload(job), WORKLOADS, job)
        message = f"Created Workload {name_of(made)} for Job {name_of(job)}"
        self._recorder.event(job, NORMAL, "WorkloadCreated", message)
        return made

    async def _group_of(self, job: Obj, workload: Obj) -> Obj | None:
        found = self._groups.by_index(_OF_WORKLOAD, _place(workload))
        if found:
            return _only(found, job)
        return await self._create(build_group(job, workload), PODGROUPS, job)

    async def _create(self, obj: Obj, resource: Res, job: Obj) -> Obj:
        """Create an object, unless it is there and only the cache does not show it yet."""
        try:
            return await self._client.create(obj, resource)
        except AlreadyExists:
            known = await self._client.find(resource, namespace_of(obj), name_of(obj))
            if known is None or not is_controlled_by(known, job):
                raise
            return known


def is_gang(job: Obj) -> bool:
    """Tell whether all pods of a Job are to run at once, and nobody else has grouped them."""
    spec = job["spec"]
    parallelism = int(spec.get("parallelism") or 0)
    return (
        parallelism > 1
        and facts.is_indexed(job)
        and spec.get("completions") == parallelism
        and not (spec["template"].get("spec") or {}).get("schedulingGroup")
    )


def is_new(job: Obj, pods: Iterable[Obj]) -> bool:
    """Tell whether a Job has never begun."""
    status: Mapping[str, Any] = job.get("status") or {}
    begun = any(status.get(field) for field in ("startTime", "succeeded", "failed"))
    return not begun and not any(pods) and condition(job, facts.SUSPENDED) is None


def build_workload(job: Obj) -> Obj:
    """Build a Workload with one template, a gang of all pods."""
    policy = {"gang": {"minCount": job["spec"]["parallelism"]}}
    name = name_of(job)[: _LONGEST_LABEL - len(_FIRST)] + _FIRST
    template = {"name": name, "schedulingPolicy": policy}
    controller = {"apiGroup": JOBS.group, "kind": JOBS.kind, "name": name_of(job)}
    return {
        "apiVersion": WORKLOADS.api_version,
        "kind": WORKLOADS.kind,
        "metadata": {
            "name": workload_name(job),
            "namespace": namespace_of(job),
            "ownerReferences": [owner_reference(job)],
        },
        "spec": {"controllerRef": controller, "podGroupTemplates": [template]},
    }


def build_group(job: Obj, workload: Obj) -> Obj:
    """Build the PodGroup after a Workload's template. It does not hold the Workload back."""
    template = workload["spec"]["podGroupTemplates"][0]
    after = {"workloadName": name_of(workload), "podGroupTemplateName": template["name"]}
    behind = {
        "apiVersion": WORKLOADS.api_version,
        "kind": WORKLOADS.kind,
        "name": name_of(workload),
        "uid": uid_of(workload),
    }
    return {
        "apiVersion": PODGROUPS.api_version,
        "kind": PODGROUPS.kind,
        "metadata": {
            "name": group_name(name_of(workload), template["name"]),
            "namespace": namespace_of(job),
            "ownerReferences": [owner_reference(job), behind],
        },
        "spec": {
            "podGroupTemplateRef": {"workload": after},
            "schedulingPolicy": template["schedulingPolicy"],
        },
    }


def workload_name(job: Obj) -> str:
    """Name a Workload after its Job, with a hash of the Job's uid as Go prints it."""
    tail = _hash(f"(types.UID){uid_of(job)}")
    return f"{name_of(job)[: _LONGEST - len(tail) - 1]}-{tail}"


def group_name(workload: str, template: str) -> str:
    """Name a PodGroup after Workload and template; of what is too long each has its half."""
    tail = _hash(workload + template)
    room = _LONGEST - len(tail) - 2
    half = room // 2
    if len(workload) + len(template) > room:
        if len(workload) <= half:
            template = template[: room - len(workload)]
        elif len(template) <= half:
            workload = workload[: room - len(template)]
        else:
            workload, template = workload[: room - half], template[:half]
    return f"{workload}-{template}-{tail}"


def _hash(text: str) -> str:
    return safe_encode(str(fnv32a(text.encode())))


def _only(found: list[Obj], job: Obj) -> Obj | None:
    """Return what there is one of, if it is the Job's."""
    return found[0] if len(found) == 1 and is_controlled_by(found[0], job) else None


def _place(obj: Obj) -> str:
    return f"{namespace_of(obj)}/{name_of(obj)}"


def _jobs(workload: Obj) -> list[str]:
    reference = (workload.get("spec") or {}).get("controllerRef") or {}
    of_job = (reference.get("apiGroup"), reference.get("kind")) == (JOBS.group, JOBS.kind)
    return [f"{namespace_of(workload)}/{reference['name']}"] if of_job else []


def _workloads(group: Obj) -> list[str]:
    reference = ((group.get("spec") or {}).get("podGroupTemplateRef") or {}).get("workload") or {}
    name = reference.get("workloadName")
    return [f"{namespace_of(group)}/{name}"] if name else []
