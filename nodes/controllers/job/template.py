"""The pods of a Job as they are made: with the finalizer, and with an index where they have one."""

from __future__ import annotations

from apimachinery.meta import Obj, name_of
from nodes.controllers.common.podcontrol import pod_from_template
from nodes.controllers.job import facts, policies

_ENV = "JOB_COMPLETION_INDEX"
# A generated name has 63 characters, five of them by chance.
_LONGEST_PREFIX = 58


def build_pod(job: Obj) -> Obj:
    """Build a pod without an index."""
    pod = pod_from_template(job["spec"]["template"], job)
    given = pod["metadata"].get("finalizers") or []
    if facts.FINALIZER not in given:
        pod["metadata"]["finalizers"] = [*given, facts.FINALIZER]
    return pod


def build_indexed_pod(job: Obj, index: int, replaced: Obj | None) -> Obj:
    """Build the pod of an index; it goes on with the failure count of the one it replaces."""
    pod = build_pod(job)
    metadata, number = pod["metadata"], str(index)
    tail = f"-{number}-"
    metadata["generateName"] = name_of(job)[: _LONGEST_PREFIX - len(tail)] + tail
    metadata["annotations"] = {**(metadata.get("annotations") or {}), facts.INDEX: number}
    metadata["labels"] = {**(metadata.get("labels") or {}), facts.INDEX: number}
    if job["spec"].get("backoffLimitPerIndex") is not None:
        metadata["annotations"] |= _failure_counts(job, replaced)
    pod["spec"] = {**_with_index(pod["spec"]), "hostname": f"{name_of(job)}-{number}"}
    return pod


def in_group(pod: Obj, group: str) -> Obj:
    """Return a pod that is scheduled with a PodGroup."""
    return {**pod, "spec": {**pod["spec"], "schedulingGroup": {"podGroupName": group}}}


def _failure_counts(job: Obj, replaced: Obj | None) -> dict[str, str]:
    if replaced is None:
        return {facts.FAILURES: "0"}
    counted = facts.counted_failures(replaced)
    ignored = facts.all_failures(replaced) - counted
    if policies.judge(job, replaced).counts:
        counted += 1
    else:
        ignored += 1
    found = {facts.FAILURES: str(counted)}
    return found | {facts.IGNORED_FAILURES: str(ignored)} if ignored else found


def _with_index(spec: Obj) -> Obj:
    """Return a pod spec whose containers know their index by their environment."""
    result = dict(spec)
    for field in ("initContainers", "containers"):
        if spec.get(field):
            result[field] = [_told(container) for container in spec[field]]
    return result


def _told(container: Obj) -> Obj:
    env = container.get("env") or []
    if any(one.get("name") == _ENV for one in env):
        return container
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{facts.INDEX}']"}}
    return {**container, "env": [*env, {"name": _ENV, "valueFrom": source}]}
