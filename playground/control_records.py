"""Control API: how to reach a cluster, who has asked it what, and what was decided there."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import orjson

from apimachinery.errors import NotFound
from apimachinery.gvk import GroupResource
from apiserver.storage import Key
from nodes.scheduler.decisions import Attempt
from playground.cluster import RunningCluster
from playground.control_call import Answer, Call, Routes
from playground.control_viewer import Viewer

PODS = GroupResource("", "pods")


async def kubeconfig(call: Call) -> Answer:
    user = call.text("user", "kubernetes-admin")
    return 200, {"kubeconfig": call.cluster().admin_kubeconfig(user, holder=user)}


async def audit(call: Call) -> Answer:
    """Return the last audit events, the newest first; `limit` says how many."""
    found = call.cluster().api.audit
    limit = call.number("limit", 100)
    events = islice(found.memory, min(limit, len(found.memory))) if found else ()
    return 200, {"items": [orjson.Fragment(event) for event in events]}


async def connections(call: Call) -> Answer:
    return 200, {"first": call.cluster().first_client}


async def decisions(call: Call) -> Answer:
    """Return the attempts to place a pod, the oldest first, to whoever may get the pod.

    `filters` are the plugins that refuse nodes, in the order in which a node meets them.
    """
    cluster, uid = call.cluster(), call.parts[2]
    attempts = cluster.scheduler.decisions.of(uid)
    key = _pod_of(cluster, uid, attempts)
    if key is None:
        raise NotFound(PODS, uid[:128])
    Viewer.of(call, cluster).require_get(key)
    return 200, {
        "namespace": key.namespace,
        "name": key.name,
        "items": [attempt.as_json() for attempt in attempts],
        "filters": [plugin.name for plugin in cluster.scheduler.profile.filter],
    }


def _pod_of(cluster: RunningCluster, uid: str, attempts: Sequence[Attempt]) -> Key | None:
    """Return where a pod is, or was when it was tried last."""
    if attempts:
        namespace, _, name = attempts[-1].pod.partition("/")
        return Key("pods", namespace, name)
    return next((one.key for one in cluster.store.list("pods") if one.uid == uid), None)


ROUTES: Routes = {
    ("GET", 2, "kubeconfig"): kubeconfig,
    ("GET", 2, "audit"): audit,
    ("GET", 2, "connections"): connections,
    ("GET", 3, "decisions"): decisions,
}
