"""Control API: how the scheduler decides, and how it would: /kubeground/v1/clusters/NAME/...

GET  decisions/UID          the attempts at a pod, with the scores of the best ten nodes
GET  scheduling             the schedulers with their plugins, what waits in the queue, and the
                            latest attempt at each of the pods that were tried last (`limit`)
GET  scheduling/pods/UID    the attempts at a pod, with all that is kept of them
POST scheduling/what-if     an attempt that is not made: see `playground.whatif`

An attempt is told to who may get its pod; victims are named to who may list them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from apimachinery.clock import format_seconds
from apimachinery.errors import NotFound
from apimachinery.gvk import GroupResource
from apiserver.storage import Key
from nodes.scheduler.attempt import Attempt, Trigger
from nodes.scheduler.loop import Scheduler
from nodes.scheduler.packing import SCORED
from nodes.scheduler.waiting import Waiting
from playground.cluster import RunningCluster
from playground.control_call import Answer, Call, Routes
from playground.control_viewer import Viewer
from playground.whatif import WhatIf

PODS = GroupResource("", "pods")
# The resources of a namespace that events speak of.
_KINDS = {
    "AssignedPod": "pods",
    "UnscheduledPod": "pods",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "ResourceClaim": "resourceclaims.resource.k8s.io",
    "PodGroup": "podgroups.scheduling.k8s.io",
}
# Scores on the page of a pod; attempts and waiting pods in an overview.
BEST, USUAL, MOST = 10, 50, 500


async def decisions(call: Call) -> Answer:
    """Return the attempts to place a pod, the oldest first, to whoever may get the pod.

    `filters` are the plugins that refuse nodes, in the order in which a node meets them.
    """
    return 200, _attempts(call, call.parts[2], BEST)


async def pod(call: Call) -> Answer:
    """Return the same with the scores of all nodes."""
    return 200, _attempts(call, call.parts[3], SCORED)


def _attempts(call: Call, uid: str, scored: int) -> dict[str, Any]:
    cluster = call.cluster()
    attempts = cluster.scheduler.decisions.of(uid)
    key = _pod_of(cluster, uid, attempts)
    if key is None:
        raise NotFound(PODS, uid[:128])
    viewer = Viewer.of(call, cluster)
    viewer.require_get(key)
    return {
        "namespace": key.namespace,
        "name": key.name,
        "items": [_shown(attempt, scored, viewer) for attempt in attempts],
        "filters": _filters(cluster, attempts[-1].scheduler if attempts else ""),
    }


def _pod_of(cluster: RunningCluster, uid: str, attempts: Sequence[Attempt]) -> Key | None:
    """Return where a pod is, or was when it was tried last."""
    if attempts:
        return _key(attempts[-1])
    return next((one.key for one in cluster.store.list("pods") if one.uid == uid), None)


def _key(attempt: Attempt) -> Key:
    namespace, _, name = attempt.pod.partition("/")
    return Key("pods", namespace, name)


def _filters(cluster: RunningCluster, scheduler: str) -> list[str]:
    """Return the filters of a profile; where that has gone, of the first one."""
    profiles = cluster.scheduler.profiles
    profile = next((one for one in profiles if one.name == scheduler), profiles[0])
    return [plugin.name for plugin in profile.filter]


def _shown(attempt: Attempt, scored: int, viewer: Viewer) -> dict[str, Any]:
    """Return an attempt without the names of pods and claims that its reader may not know."""
    found = attempt.as_json(scored)
    found["because"] = _trigger(attempt.because, viewer)
    for candidate in found["candidates"]:
        for victim in candidate["victims"]:
            if not viewer.may_list("pods", victim["pod"].partition("/")[0]):
                victim["pod"] = ""
    return found


async def overview(call: Call) -> Answer:
    """Return who schedules by which plugins, what waits, and what was tried last."""
    cluster = call.cluster()
    scheduler, viewer = cluster.scheduler, Viewer.of(call, cluster)
    limit = min(call.number("limit", USUAL), MOST)
    latest = [
        attempt
        for attempt in scheduler.decisions.last(MOST)
        if viewer.may_list("pods", _key(attempt).namespace)
    ]
    return 200, {
        "schedulers": [{"name": one.name, "plugins": one.points()} for one in scheduler.profiles],
        "configurationError": cluster.scheduler_config.error,
        "queue": scheduler.queue.depths(),
        "waiting": [
            _waits(scheduler, waiting, viewer) for waiting in _first(scheduler.queue, limit, viewer)
        ],
        "attempts": [attempt.summary() for attempt in latest[:limit]],
    }


def _first(queue: Iterable[Waiting], limit: int, viewer: Viewer) -> list[Waiting]:
    found = [one for one in queue if viewer.may_list("pods", one.pod.namespace)]
    return sorted(found, key=lambda one: one.since)[:limit]


def _waits(scheduler: Scheduler, waiting: Waiting, viewer: Viewer) -> dict[str, Any]:
    retry_at = scheduler.queue.retry_at(waiting)
    plugin, why = scheduler.kept_out(waiting.pod) if waiting.gated else ("", "")
    ignored = waiting.ignored
    return {
        "pod": f"{waiting.pod.namespace}/{waiting.pod.name}",
        "uid": waiting.pod.uid,
        "where": "gated" if waiting.gated else waiting.where,
        "priority": waiting.pod.priority,
        "attempts": waiting.attempts,
        "refusedBy": sorted(filter(None, waiting.refused_by)),
        "gate": {"plugin": plugin, "why": why},
        "because": _trigger(waiting.because, viewer),
        "ignored": {
            "count": ignored.count,
            "last": _trigger(ignored.last, viewer) if ignored.last else None,
        },
        "retryAt": None if retry_at is None else format_seconds(retry_at),
    }


def _trigger(trigger: Trigger, viewer: Viewer) -> dict[str, str]:
    """Return an event without the name of an object that its reader may not know."""
    shown = trigger._asdict()
    if not _may_know(trigger, viewer):
        shown["obj"] = ""
    return shown


def _may_know(trigger: Trigger, viewer: Viewer) -> bool:
    """Tell whether one may list the objects of which an event's is one."""
    namespace, slash, _ = trigger.obj.rpartition("/")
    kind = _KINDS.get(trigger.event.partition("/")[0], "")
    return not slash or viewer.may_list(kind, namespace)


async def what_if(call: Call) -> Answer:
    """Return how an attempt at a pod would go; nothing is written."""
    cluster = call.cluster()
    viewer = Viewer.of(call, cluster)
    asked = WhatIf.read(cluster, call.json())
    viewer.require_get(asked.key)
    attempt = asked.run()
    return 200, {"filters": _filters(cluster, attempt.scheduler), **_shown(attempt, SCORED, viewer)}


ROUTES: Routes = {
    ("GET", 3, "decisions"): decisions,
    ("GET", 2, "scheduling"): overview,
    ("GET", 4, "scheduling"): pod,
    ("POST", 3, "scheduling"): what_if,
}
