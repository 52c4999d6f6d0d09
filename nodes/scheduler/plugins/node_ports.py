"""NodePorts: a host port is one pod's at a time."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from nodes.scheduler.framework import (
    SKIP,
    SUCCESS,
    Change,
    CycleState,
    Event,
    FilterPlugin,
    Hint,
    PreFilterPlugin,
    Readers,
    Status,
    always,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo


class NodePorts(PreFilterPlugin, FilterPlugin):
    """Refuses nodes on which a wanted host port is taken."""

    name = "NodePorts"

    def hints(self) -> Mapping[Event, Hint]:
        return {Event.POD_GONE: _frees_port, Event.NODE_ADDED: always}

    def looks_at(self, pod: PodInfo) -> Hashable:
        return pod.ports

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        return SUCCESS if pod.ports else SKIP

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        if any(node.port_taken(port) for port in pod.ports):
            return Status.unschedulable(
                "node(s) didn't have free ports for the requested pod ports"
            )
        return SUCCESS


def _frees_port(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a pod that is gone had a port that this one wants."""
    node = NodeInfo.of({})
    node.ports = dict.fromkeys(PodInfo.of(change.obj).ports, 1)
    return any(node.port_taken(port) for port in pod.ports)
