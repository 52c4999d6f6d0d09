"""TaintToleration: a tainted node takes only pods that tolerate its taints."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.nodes import untolerated
from nodes.scheduler.framework import (
    SUCCESS,
    CycleState,
    Event,
    FilterPlugin,
    PreScorePlugin,
    ScorePlugin,
    Scores,
    Status,
    normalized,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

_HARD = ("NoSchedule", "NoExecute")
_SOFT = ("PreferNoSchedule",)


class TaintToleration(FilterPlugin, PreScorePlugin, ScorePlugin):
    """Refuses untolerated NoSchedule and NoExecute; prefers few untolerated PreferNoSchedule."""

    name = "TaintToleration"
    retry_on = frozenset({Event.NODE_ADDED, Event.NODE_TAINTS})

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        if not node.taints or not untolerated(node.taints, pod.spec.get("tolerations"), _HARD):
            return SUCCESS
        # Evicting pods does not remove a taint: preemption need not try this node.
        return Status.unresolvable("node(s) had untolerated taint(s)")

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status:
        return SUCCESS

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        if not node.taints:
            return 0
        return len(untolerated(node.taints, pod.spec.get("tolerations"), _SOFT))

    def normalize(self, state: CycleState, pod: PodInfo, scores: Scores) -> Scores:
        return normalized(scores, reverse=True)
