"""NodeResourcesFit: what a pod requests must be free, and emptier nodes are better."""

from __future__ import annotations

from nodes.scheduler.framework import (
    MAX_SCORE,
    SUCCESS,
    CycleState,
    Event,
    FilterPlugin,
    ScorePlugin,
    Status,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo


class NodeResourcesFit(FilterPlugin, ScorePlugin):
    """Refuses nodes with too little left; scores by LeastAllocated over cpu and memory."""

    name = "NodeResourcesFit"
    retry_on = frozenset({Event.POD_GONE, Event.NODE_ADDED, Event.NODE_ALLOCATABLE})

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        lacking: list[str] = []
        hopeless = False
        if len(node.pods) + 1 > node.allocatable.get("pods", 0):
            lacking.append("Too many pods")
        requested, allocatable = node.requested, node.allocatable
        for name, amount in pod.requests.amounts:
            total = allocatable.get(name, 0)
            if amount > total - requested.get(name, 0):
                lacking.append(f"Insufficient {name}")
                hopeless = hopeless or amount > total
        if not lacking:
            return SUCCESS
        # A request larger than the whole node: no pod's going could make room.
        return Status.unresolvable(*lacking) if hopeless else Status.unschedulable(*lacking)

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        cpu, memory = pod.requests.nonzero
        parts = [
            _left(node.nonzero_cpu + cpu, node.allocatable.get("cpu", 0)),
            _left(node.nonzero_memory + memory, node.allocatable.get("memory", 0)),
        ]
        known = [part for part in parts if part is not None]
        return sum(known) // len(known) if known else 0


def _left(requested: int, capacity: int) -> int | None:
    if capacity == 0:
        return None
    return 0 if requested > capacity else (capacity - requested) * MAX_SCORE // capacity
