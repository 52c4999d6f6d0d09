"""TaintToleration: a tainted node takes only pods that tolerate its taints."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import orjson

from apimachinery.meta import Obj
from apimachinery.nodes import taints_of, untolerated
from nodes.scheduler.framework import (
    SUCCESS,
    Change,
    CycleState,
    Event,
    FilterPlugin,
    Hint,
    NodeScorePlugin,
    PreScorePlugin,
    Readers,
    Scores,
    Status,
    always,
    normalized,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

_HARD = ("NoSchedule", "NoExecute")
_SOFT = ("PreferNoSchedule",)


class TaintToleration(FilterPlugin, PreScorePlugin, NodeScorePlugin):
    """Refuses untolerated NoSchedule and NoExecute; prefers few untolerated PreferNoSchedule."""

    name = "TaintToleration"

    def hints(self) -> Mapping[Event, Hint]:
        return {
            Event.NODE_ADDED: _lets_in,
            Event.NODE_TAINTS: _lets_in,
            Event.OWN_TOLERATIONS: always,
        }

    def looks_at(self, pod: PodInfo) -> Hashable:
        return orjson.dumps(pod.spec.get("tolerations"))

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


def _lets_in(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a node's taints are tolerated now and were not before."""
    return _kept_off(pod, change.old) and not _kept_off(pod, change.new)


def _kept_off(pod: PodInfo, node: Obj | None) -> bool:
    if node is None:
        return True
    return bool(untolerated(taints_of(node), pod.spec.get("tolerations"), _HARD))
