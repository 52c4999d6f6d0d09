"""NodeDeclaredFeatures: what a pod needs of a kubelet, the kubelet has to say that it can."""

from __future__ import annotations

from collections.abc import Mapping

from apimachinery.nodes import declared_features, needed_features
from nodes.scheduler.framework import (
    SKIP,
    SUCCESS,
    CycleState,
    Event,
    FilterPlugin,
    Hint,
    PreFilterPlugin,
    Status,
    always,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo


class NodeDeclaredFeatures(PreFilterPlugin, FilterPlugin):
    """Refuses nodes that do not list what the pod needs in status.declaredFeatures."""

    name = "NodeDeclaredFeatures"

    def hints(self) -> Mapping[Event, Hint]:
        return {Event.NODE_ADDED: always, Event.NODE_FEATURES: always}

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        needed = frozenset(needed_features(pod.spec))
        if not needed:
            return SKIP
        state.data[self.name] = needed
        return SUCCESS

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        if state.data[self.name].issubset(declared_features(node.obj)):
            return SUCCESS
        return Status.unresolvable("node(s) didn't match Pod's required features")
