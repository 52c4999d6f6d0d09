"""NodeResourcesBalancedAllocation: better where the pod makes resources fill up more evenly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from nodes.scheduler.devices.stock import stock
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

_HALF = MAX_SCORE // 2


class NodeResourcesBalancedAllocation(PreScorePlugin, NodeScorePlugin):
    """Scores by how evenly some resources are in use with the pod there, and without it.

    A node that is as even as before has 75; one that the pod makes more even has more.
    """

    name = "NodeResourcesBalancedAllocation"
    resources: tuple[str, ...] = ("cpu", "memory")

    def configure(self, args: Mapping[str, Any]) -> None:
        self.resources = tuple(one["name"] for one in args["resources"])

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status:
        # A pod that requests nothing says nothing of balance.
        return SUCCESS if any(name in self.resources for name, _ in pod.requests.amounts) else SKIP

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        asked = dict(pod.requests.amounts)
        before, then = [], []
        for name in self.resources:
            total, used = node.allocatable.get(name, 0), node.requested.get(name, 0)
            if not total and name in asked:
                total, used = stock(state, pod, node, name)
            if total and (name in asked or "/" not in name):
                before.append(min(used / total, 1.0))
                then.append(min((used + asked.get(name, 0)) / total, 1.0))
        # In whole numbers, rounded towards zero, as in the scheduler.
        return _HALF + int((_HALF + _evenness(then) - _evenness(before)) / 2)


def _evenness(fractions: Sequence[float]) -> int:
    return int((1 - _deviation(fractions)) * MAX_SCORE)


def _deviation(fractions: Sequence[float]) -> float:
    if len(fractions) == 2:  # the standard deviation of two is half their distance
        return abs(fractions[0] - fractions[1]) / 2
    if len(fractions) < 2:
        return 0.0
    mean = sum(fractions) / len(fractions)
    return sqrt(sum((one - mean) ** 2 for one in fractions) / len(fractions))
