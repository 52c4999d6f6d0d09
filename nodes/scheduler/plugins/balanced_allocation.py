"""NodeResourcesBalancedAllocation: better where resources fill up evenly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from nodes.scheduler.framework import (
    MAX_SCORE,
    SKIP,
    SUCCESS,
    CycleState,
    NodeScorePlugin,
    PreScorePlugin,
    Status,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo


class NodeResourcesBalancedAllocation(PreScorePlugin, NodeScorePlugin):
    """Scores by how little the fractions in use of some resources differ, with the pod there."""

    name = "NodeResourcesBalancedAllocation"
    resources: tuple[str, ...] = ("cpu", "memory")

    def configure(self, args: Mapping[str, Any]) -> None:
        self.resources = tuple(one["name"] for one in args["resources"])

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status:
        # A pod that requests nothing says nothing of balance.
        return SUCCESS if any(name in self.resources for name, _ in pod.requests.amounts) else SKIP

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        asked = dict(pod.requests.amounts)
        fractions = []
        for name in self.resources:
            total = node.allocatable.get(name, 0)
            if total and (name in asked or "/" not in name):
                used = node.requested.get(name, 0) + asked.get(name, 0)
                fractions.append(min(used / total, 1.0))
        return int((1 - _deviation(fractions)) * MAX_SCORE)


def _deviation(fractions: Sequence[float]) -> float:
    if len(fractions) == 2:  # the standard deviation of two is half their distance
        return abs(fractions[0] - fractions[1]) / 2
    if len(fractions) < 2:
        return 0.0
    mean = sum(fractions) / len(fractions)
    return sqrt(sum((one - mean) ** 2 for one in fractions) / len(fractions))
