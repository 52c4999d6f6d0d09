"""NodePorts: a host port is one pod's at a time."""

from __future__ import annotations

from nodes.scheduler.framework import (
    SKIP,
    SUCCESS,
    CycleState,
    Event,
    FilterPlugin,
    PreFilterPlugin,
    Status,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo


class NodePorts(PreFilterPlugin, FilterPlugin):
    """Refuses nodes on which a wanted host port is taken."""

    name = "NodePorts"
    retry_on = frozenset({Event.POD_GONE, Event.NODE_ADDED})

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        return SUCCESS if pod.ports else SKIP

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        if any(node.port_taken(port) for port in pod.ports):
            return Status.unschedulable(
                "node(s) didn't have free ports for the requested pod ports"
            )
        return SUCCESS
