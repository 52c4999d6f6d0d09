"""NodeUnschedulable: a cordoned node takes only pods that tolerate its being so."""

from __future__ import annotations

from apimachinery.nodes import tolerated
from nodes.scheduler.framework import SUCCESS, CycleState, Event, FilterPlugin, Status
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


class NodeUnschedulable(FilterPlugin):
    """Refuses nodes with spec.unschedulable."""

    name = "NodeUnschedulable"
    retry_on = frozenset({Event.NODE_ADDED, Event.NODE_TAINTS})

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        if not node.unschedulable or tolerated(_TAINT, pod.spec.get("tolerations")):
            return SUCCESS
        return Status.unresolvable("node(s) were unschedulable")
