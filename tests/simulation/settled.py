"""What a cluster has to have come to when nothing changes any more and nothing is broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apimachinery.labels import from_set
from apimachinery.meta import is_deleting, labels_of, name_of, namespace_of, uid_of
from apimachinery.pods import is_active, is_ready
from tests.simulation.invariants import State

Obj = dict[str, Any]

_KINDS = {
    "ReplicaSet": "replicasets.apps",
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "Job": "jobs.batch",
    "Service": "services",
    "Node": "nodes",
    "Pod": "pods",
}


def unsettled(state: State) -> Iterator[str]:
    """Yield what is not as it should be."""
    for check in (_orphans, _deleting, _pods, _replicas, _agents, _jobs, _endpoints, _deployments):
        yield from check(state)


def _orphans(state: State) -> Iterator[str]:
    """Whoever has an owner has one that is there."""
    for resource, objects in state.objects.items():
        for obj in objects.values():
            for owner in obj["metadata"].get("ownerReferences") or ():
                if owner["kind"] not in _KINDS:
                    continue
                namespace = "" if owner["kind"] == "Node" else namespace_of(obj)
                found = state.get(_KINDS[owner["kind"]], namespace, owner["name"])
                if found is None or uid_of(found) != owner["uid"]:
                    yield f"{resource}/{name_of(obj)} outlives {owner['kind']} {owner['name']}"


def _deleting(state: State) -> Iterator[str]:
    """Deletions come to an end."""
    for resource, objects in state.objects.items():
        for obj in objects.values():
            if is_deleting(obj):
                yield f"{resource}/{name_of(obj)} is still being deleted"


def _pods(state: State) -> Iterator[str]:
    """A pod runs, has ended, or says why not."""
    for pod in state.of("pods"):
        status = pod["status"]
        if status.get("phase") == "Pending" and not _reason(pod):
            yield f"pod {name_of(pod)} is pending without a reason"
        if status.get("phase") == "Unknown":
            yield f"pod {name_of(pod)} is in no known phase"


def _reason(pod: Obj) -> str:
    if pod["spec"].get("nodeName"):
        waiting = [
            (one.get("state") or {}).get("waiting") or {}
            for one in pod["status"].get("containerStatuses") or ()
        ]
        return next((one["reason"] for one in waiting if one.get("reason")), "")
    for condition in pod["status"].get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return condition.get("message") or condition.get("reason") or ""
    return ""


def _replicas(state: State) -> Iterator[str]:
    """Workloads have as many pods as they want, and know how many they are."""
    for resource in ("replicasets.apps", "statefulsets.apps"):
        for obj in state.of(resource):
            wanted, status = int(obj["spec"]["replicas"]), obj.get("status") or {}
            pods = [one for one in state.owned("pods", obj) if is_active(one)]
            if len(pods) != wanted:
                yield f"{resource}/{name_of(obj)} has {len(pods)} pods of {wanted}"
            if status.get("replicas", 0) != len(pods):
                yield f"{resource}/{name_of(obj)} says {status.get('replicas')} of {len(pods)}"
            ready, said = sum(map(is_ready, pods)), status.get("readyReplicas", 0)
            if said != ready:
                yield f"{resource}/{name_of(obj)} says {said} are ready, not {ready}"
            if status.get("observedGeneration") != obj["metadata"]["generation"]:
                yield f"{resource}/{name_of(obj)} has not seen its spec"


def _agents(state: State) -> Iterator[str]:
    """A DaemonSet has one pod on each node."""
    nodes = {name_of(one) for one in state.of("nodes")}
    for obj in state.of("daemonsets.apps"):
        found = [one["spec"].get("nodeName") for one in state.owned("pods", obj) if is_active(one)]
        if len(found) != len(set(found)):
            yield f"daemonset {name_of(obj)} has several pods on a node: {sorted(map(str, found))}"
        if set(found) != nodes:
            yield f"daemonset {name_of(obj)} is on {sorted(map(str, found))} of {sorted(nodes)}"


def _jobs(state: State) -> Iterator[str]:
    """Jobs end: each has a time limit."""
    for job in state.of("jobs.batch"):
        conditions = (job.get("status") or {}).get("conditions") or ()
        if not any(one["type"] in ("Complete", "Failed") for one in conditions):
            yield f"job {name_of(job)} has not ended: {job.get('status')}"
        for pod in state.owned("pods", job):
            if "batch.kubernetes.io/job-tracking" in (pod["metadata"].get("finalizers") or ()):
                yield f"pod {name_of(pod)} of an ended job is still counted"


def _endpoints(state: State) -> Iterator[str]:
    """Slices hold the ready pods of their Service, and those alone."""
    for service in state.of("services"):
        if not (selected := service["spec"].get("selector")):
            continue
        selector = from_set(selected)
        wanted = {
            name_of(pod)
            for pod in state.of("pods")
            if namespace_of(pod) == namespace_of(service)
            and selector.matches(labels_of(pod))
            and is_active(pod)
            and is_ready(pod)
        }
        found = [
            end["targetRef"]["name"]
            for one in state.of("endpointslices.discovery.k8s.io")
            if labels_of(one).get("kubernetes.io/service-name") == name_of(service)
            and namespace_of(one) == namespace_of(service)
            for end in one.get("endpoints") or ()
            if end["conditions"].get("ready")
        ]
        if sorted(found) != sorted(wanted):
            yield f"service {name_of(service)} leads to {sorted(found)}, not {sorted(wanted)}"


def _deployments(state: State) -> Iterator[str]:
    """A Deployment runs its template alone, unless there is no room for it."""
    short = any(_reason(pod) for pod in state.of("pods"))
    for obj in state.of("deployments.apps"):
        status, wanted = obj.get("status") or {}, int(obj["spec"]["replicas"])
        if status.get("observedGeneration") != obj["metadata"]["generation"]:
            yield f"deployment {name_of(obj)} has not seen its spec"
        counts = [status.get(one, 0) for one in ("replicas", "updatedReplicas", "readyReplicas")]
        if counts != [wanted] * 3 and not short:
            yield f"deployment {name_of(obj)} has {counts} of {wanted}"
