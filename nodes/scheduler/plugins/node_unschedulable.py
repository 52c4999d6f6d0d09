"""NodeUnschedulable: a cordoned node takes only pods that tolerate its being so."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from apimachinery.nodes import is_unschedulable, tolerated
from nodes.scheduler.framework import (
    SUCCESS,
    Change,
    CycleState,
    Event,
    FilterPlugin,
    Hint,
    Readers,
    Status,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


class NodeUnschedulable(FilterPlugin):
    """Refuses nodes with spec.unschedulable."""

    name = "NodeUnschedulable"

    def hints(self) -> Mapping[Event, Hint]:
        return {
            Event.NODE_ADDED: _opens,
            Event.NODE_TAINTS: _opens,
            Event.OWN_TOLERATIONS: _now_tolerates,
        }

    def looks_at(self, pod: PodInfo) -> Hashable:
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        if not node.unschedulable or tolerated(_TAINT, pod.spec.get("tolerations")):
            return SUCCESS
        return Status.unresolvable("node(s) were unschedulable")


def _opens(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a node takes pods that did not, or was not there."""
    was_open = change.old is not None and not is_unschedulable(change.old)
    return not was_open and not is_unschedulable(change.obj)


def _now_tolerates(pod: PodInfo, change: Change, readers: Readers) -> bool:
    return tolerated(_TAINT, pod.spec.get("tolerations"))
