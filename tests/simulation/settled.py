"""What a cluster has to have come to when nothing changes any more and nothing is broken."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery import quantity
from apimachinery.labels import Selector, from_label_selector, from_set
from apimachinery.meta import controller_of, is_deleting, labels_of, name_of, namespace_of, uid_of
from apimachinery.nodes import condition
from apimachinery.pods import is_active, is_ready
from tests.simulation.rules.batch import ended
from tests.simulation.rules.workloads import meant_for
from tests.simulation.states import Obj, State

_KINDS = {
    "ReplicaSet": "replicasets.apps",
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "Job": "jobs.batch",
    "CronJob": "cronjobs.batch",
    "Service": "services",
    "Node": "nodes",
    "Pod": "pods",
}


def unsettled(state: State) -> Iterator[str]:
    """Yield what is not as it should be."""
    for check in CHECKS:
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
    scheduled = condition(pod, "PodScheduled") or {}
    if scheduled.get("status") != "False":
        return ""
    return scheduled.get("message") or scheduled.get("reason") or ""


def _replicas(state: State) -> Iterator[str]:
    """Workloads have as many pods as they want, and know how many they are."""
    for resource in ("replicasets.apps", "statefulsets.apps"):
        for obj in state.of(resource):
            wanted, status = int(obj["spec"]["replicas"]), obj.get("status") or {}
            pods = [one for one in state.owned("pods", obj) if is_active(one)]
            # Pods in order wait for the one before, which may have no room.
            stuck = resource == "statefulsets.apps" and any(map(_reason, pods))
            if len(pods) != wanted and not stuck:
                yield f"{resource}/{name_of(obj)} has {len(pods)} pods of {wanted}"
            if status.get("replicas", 0) != len(pods):
                yield f"{resource}/{name_of(obj)} says {status.get('replicas')} of {len(pods)}"
            ready, said = sum(map(is_ready, pods)), status.get("readyReplicas", 0)
            if said != ready:
                yield f"{resource}/{name_of(obj)} says {said} are ready, not {ready}"
            if status.get("observedGeneration") != obj["metadata"]["generation"]:
                yield f"{resource}/{name_of(obj)} has not seen its spec"


def _agents(state: State) -> Iterator[str]:
    """A DaemonSet has one pod on each node, and no second one unless there is no room for it."""
    short = any(_reason(pod) for pod in state.of("pods"))
    nodes = {name_of(one) for one in state.of("nodes")}
    for obj in state.of("daemonsets.apps"):
        found = sorted(meant_for(one) for one in state.owned("pods", obj) if is_active(one))
        if len(found) != len(set(found)) and not short:
            yield f"daemonset {name_of(obj)} has several pods on a node: {found}"
        if set(found) != nodes:
            yield f"daemonset {name_of(obj)} is on {found} of {sorted(nodes)}"


def _jobs(state: State) -> Iterator[str]:
    """Jobs end: each has a time limit."""
    for job in state.of("jobs.batch"):
        if not ended(job):
            yield f"job {name_of(job)} has not ended: {job.get('status')}"
        for pod in state.owned("pods", job):
            if "batch.kubernetes.io/job-tracking" in (pod["metadata"].get("finalizers") or ()):
                yield f"pod {name_of(pod)} of an ended job is still counted"


def _endpoints(state: State) -> Iterator[str]:
    """Slices hold the ready pods of their Service, and those alone."""
    for service in state.of("services"):
        if not (selected := service["spec"].get("selector")):
            continue
        wanted = sorted(map(name_of, state.healthy(namespace_of(service), from_set(selected))))
        found = sorted(
            end["targetRef"]["name"]
            for one in state.within("endpointslices.discovery.k8s.io", namespace_of(service))
            if labels_of(one).get("kubernetes.io/service-name") == name_of(service)
            for end in one.get("endpoints") or ()
            if end["conditions"].get("ready")
        )
        if found != wanted:
            yield f"service {name_of(service)} leads to {found}, not {wanted}"


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


def _histories(state: State) -> Iterator[str]:
    """Of old ReplicaSets and of ended Jobs so many are kept as their owners say."""
    for obj in state.of("deployments.apps"):
        old = [
            one for one in state.owned("replicasets.apps", obj) if not int(one["spec"]["replicas"])
        ]
        status, most = obj.get("status") or {}, obj["spec"]["revisionHistoryLimit"]
        done = status.get("updatedReplicas", 0) == obj["spec"]["replicas"] > 0
        if done and status.get("availableReplicas") == obj["spec"]["replicas"] and len(old) > most:
            yield f"deployment {name_of(obj)} keeps {len(old)} old ReplicaSets of {most}"
    for cron in state.of("cronjobs.batch"):
        jobs = state.owned("jobs.batch", cron)
        for how, limit in (("Complete", "successful"), ("Failed", "failed")):
            kept = [one for one in jobs if ended(one) == how]
            most = cron["spec"][f"{limit}JobsHistoryLimit"]
            if len(kept) > most:
                yield f"cronjob {name_of(cron)} keeps {len(kept)} {limit} Jobs of {most}"
        if (cron.get("status") or {}).get("active"):
            yield f"cronjob {name_of(cron)} believes {cron['status']['active']} at work"


def _namespaces(state: State) -> Iterator[str]:
    """Nothing outlives its namespace."""
    for resource, objects in state.objects.items():
        for namespace, name in objects:
            if namespace and state.get("namespaces", "", namespace) is None:
                yield f"{resource}/{name} outlives the namespace {namespace}"


def _nodes(state: State) -> Iterator[str]:
    """Nodes are ready, and nothing of their failures is left."""
    for node in state.of("nodes"):
        conditions = {one["type"]: one["status"] for one in node["status"]["conditions"]}
        if conditions["Ready"] != "True":
            yield f"node {name_of(node)} is not ready: {conditions}"
        if taints := node["spec"].get("taints"):
            yield f"node {name_of(node)} has taints: {taints}"


def _volumes(state: State) -> Iterator[str]:
    """Claims and volumes know of each other; what is attached is used there."""
    used = {
        (pod["spec"].get("nodeName"), namespace_of(pod), one["persistentVolumeClaim"]["claimName"])
        for pod in state.of("pods")
        if is_active(pod)
        for one in pod["spec"].get("volumes") or ()
        if "persistentVolumeClaim" in one
    }
    claims = {}
    for claim in state.of("persistentvolumeclaims"):
        volume = claim["spec"].get("volumeName", "")
        claims[volume] = namespace_of(claim), name_of(claim)
        phase = (claim.get("status") or {}).get("phase")
        if volume and phase != "Bound":
            yield f"claim {name_of(claim)} of {volume} is {phase}"
    for volume in state.of("persistentvolumes"):
        if name_of(volume) not in claims:
            yield f"volume {name_of(volume)} is nobody's: {volume['spec'].get('claimRef')}"
    for one in state.of("volumeattachments.storage.k8s.io"):
        spec = one["spec"]
        claim = claims.get(spec["source"]["persistentVolumeName"], ("", ""))
        if (spec["nodeName"], *claim) not in used:
            yield f"{name_of(one)} attaches {claim} to {spec['nodeName']}, where nobody uses it"


def _budgets(state: State) -> Iterator[str]:
    """Budgets know how many are healthy, and how many may go."""
    for budget in state.of("poddisruptionbudgets.policy"):
        selector = from_label_selector(budget["spec"]["selector"])
        if _cannot_count(state, budget, selector):
            continue
        healthy = len(state.healthy(namespace_of(budget), selector))
        status = budget.get("status") or {}
        if status.get("currentHealthy") != healthy:
            yield f"budget {name_of(budget)} says {status.get('currentHealthy')} of {healthy}"
        spare = max(healthy - status.get("desiredHealthy", 0), 0)
        if status.get("disruptionsAllowed") != spare and status.get("expectedPods"):
            yield f"budget {name_of(budget)} lets {status.get('disruptionsAllowed')} go of {spare}"


def _cannot_count(state: State, budget: Obj, selector: Selector) -> bool:
    """Whether a budget says that it is about pods of somebody who wants no number of them."""
    allowed = condition(budget, "DisruptionAllowed") or {}
    return allowed.get("reason") == "SyncFailed" and any(
        (controller_of(pod) or {}).get("kind") in ("Job", "DaemonSet")
        for pod in state.within("pods", namespace_of(budget))
        if selector.matches(labels_of(pod))
    )


def _quotas(state: State) -> Iterator[str]:
    """Quotas know how many pods there are."""
    for quota in state.of("resourcequotas"):
        there = sum(is_active(pod) for pod in state.within("pods", namespace_of(quota)))
        used = ((quota.get("status") or {}).get("used") or {}).get("pods", "0")
        if quantity.parse(used).value() != there:
            yield f"quota {name_of(quota)} says {used} pods of {there}"


CHECKS = (
    _orphans,
    _deleting,
    _pods,
    _replicas,
    _agents,
    _jobs,
    _endpoints,
    _deployments,
    _histories,
    _namespaces,
    _nodes,
    _volumes,
    _budgets,
    _quotas,
)
