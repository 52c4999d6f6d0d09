"""NodeName: a pod that names its node fits on that one alone."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from nodes.scheduler.framework import (
    SUCCESS,
    CycleState,
    Event,
    FilterPlugin,
    Hint,
    Status,
    always,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo


class NodeName(FilterPlugin):
    """Refuses every node but spec.nodeName."""

    name = "NodeName"

    def hints(self) -> Mapping[Event, Hint]:
        return {Event.NODE_ADDED: always}

    def looks_at(self, pod: PodInfo) -> Hashable:
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        wanted = pod.node_name
        if not wanted or wanted == node.name:
            return SUCCESS
        return Status.unresolvable("node(s) didn't match the requested node name")
