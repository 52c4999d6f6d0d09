"""NodeResourcesBalancedAllocation: better where cpu and memory fill up evenly."""

from __future__ import annotations

from collections.abc import Sequence

from nodes.scheduler.framework import (
    MAX_SCORE,
    SKIP,
    SUCCESS,
    CycleState,
    PreScorePlugin,
    ScorePlugin,
    Status,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

_RESOURCES = ("cpu", "memory")


class NodeResourcesBalancedAllocation(PreScorePlugin, ScorePlugin):
    """Scores by how little the fractions of cpu and memory in use differ, with the pod there."""

    name = "NodeResourcesBalancedAllocation"

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status:
        # A pod that requests nothing says nothing of balance.
        return SUCCESS if any(name in _RESOURCES for name, _ in pod.requests.amounts) else SKIP

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        asked = dict(pod.requests.amounts)
        fractions = []
        for name in _RESOURCES:
            total = node.allocatable.get(name, 0)
            if total:
                used = node.requested.get(name, 0) + asked.get(name, 0)
                fractions.append(min(used / total, 1.0))
        # Of two fractions the standard deviation is half their distance.
        deviation = abs(fractions[0] - fractions[1]) / 2 if len(fractions) == 2 else 0.0
        return int((1 - deviation) * MAX_SCORE)
