"""How busy a control plane is: /kubeground/v1/clusters/NAME/activity.

    GET activity           what waits where, and how many requests there have been so far
    GET activity?after=N   also, how many of them came after the N-th, and from whom; with `wait`
                        (seconds) as soon as there is one

The impersonation headers say who looks: it is for those who may read /metrics, as the overview's
control plane is. All of it is counted anyway: nothing is done for a cluster at which nobody looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from apiserver.endpoints.trace import Trace
from playground.cluster import RunningCluster
from playground.control_call import Answer, Call, Routes
from playground.control_traces import LONGEST_WAIT, wait_for
from playground.control_viewer import Viewer
from playground.stories import worker_of

# Whom requests come from, where it is no part of the cluster.
PEOPLE = "people"


async def activity(call: Call) -> Answer:
    """Return the depths of the queues, and what was asked of the API since."""
    cluster = call.cluster()
    Viewer.of(call, cluster).require_control_plane()
    traces = cluster.api.traces
    after = call.number("after", traces.count)
    wait = min(call.number("wait", 0), LONGEST_WAIT)
    found = await wait_for(traces, after, lambda _: True, wait)
    return 200, document(cluster, found, max(traces.count - after, 0))


def document(cluster: RunningCluster, found: Sequence[Trace], requests: int) -> dict[str, Any]:
    """Return what the control plane does."""
    watches = (
        counted.running
        for labels, counted in cluster.api.metrics.requests.items()
        if labels.verb == "watch"
    )
    return {
        "count": cluster.api.traces.count,
        "revision": cluster.store.revision,
        "requests": requests,
        "refused": sum(trace.code >= 400 for trace in found),
        "from": Counter(worker_of(trace.user)[1] or PEOPLE for trace in found),
        "watches": sum(watches),
        "controllers": {
            name: waiting
            for name, depths in cluster.manager.depths().items()
            if (waiting := depths["ready"] + depths["working"])
        },
        "scheduler": cluster.scheduler.queue.depths(),
        "kubelets": {"running": len(cluster.kubelets), "all": len(cluster.machines())},
    }


ROUTES: Routes = {("GET", 2, "activity"): activity}
