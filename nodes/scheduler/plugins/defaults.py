"""PrioritySort, DefaultPreemption, DefaultBinder: what the queue and the loop do, by its names.

A profile that leaves DefaultPreemption out sends nobody away.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from apimachinery.meta import uid_of
from nodes.scheduler.framework import (
    SUCCESS,
    BindPlugin,
    Event,
    GroupPlugin,
    Hint,
    PostFilterPlugin,
    PreEnqueuePlugin,
    QueueSortPlugin,
    Readers,
    Status,
    never,
)
from nodes.scheduler.podgroup import GroupFeatures, is_constrained
from nodes.scheduler.podinfo import PodInfo

_WAITS = Status.unresolvable("waiting for the preemption for this pod to be finished")
_GROUP_WAITS = Status.unresolvable("waiting for the preemption for this pod group to be finished")
_AS_A_GROUP = "not eligible due to workload aware preemption enabled"


class PrioritySort(QueueSortPlugin):
    """The highest priority first, then who waits longest."""

    name = "PrioritySort"


class DefaultPreemption(GroupPlugin, PreEnqueuePlugin, PostFilterPlugin):
    """Looks for pods of lower priority that could go: on so many nodes at the least.

    While they are being sent away, the pod that they go for is kept out of the queue.
    """

    name = "DefaultPreemption"
    percentage, absolute = 10, 100
    # Tells by uid for whom pods have still to be sent away.
    running: Callable[[str], bool] = staticmethod(lambda uid: False)
    features = GroupFeatures(gangs=False)

    def hints(self) -> Mapping[Event, Hint]:
        """Have those who refused the pod asked again; that room is made says nothing by itself."""
        return {Event.POD_GONE: never}

    def looks_at(self, pod: PodInfo) -> Hashable:
        return None

    def pre_enqueue(self, pod: PodInfo, readers: Readers) -> Status:
        if pod.group is not None and self.features.preemption:
            group = readers["podgroups"].get(*pod.group)
            return _GROUP_WAITS if group and self.running(uid_of(group)) else SUCCESS
        return _WAITS if self.running(pod.uid) else SUCCESS

    def leaves_to_group(self, pod: PodInfo) -> str:
        """Say why no room is made for a pod by itself, since it is of a group; "" where it is."""
        if pod.group is None or self.groups is None:
            return ""
        if self.features.topology:
            group = self.group_objects.get(*pod.group)
            if group is None:
                return "pod group for pod not found"
            if is_constrained(group):
                return "not eligible due to placement-based pod group scheduling limitation"
        return _AS_A_GROUP if self.features.preemption else ""

    def configure(self, args: Mapping[str, Any]) -> None:
        self.percentage = args["minCandidateNodesPercentage"]
        self.absolute = args["minCandidateNodesAbsolute"]

    def candidates(self, nodes: int) -> int:
        """Return at how many candidates the search may stop."""
        return max(nodes * self.percentage // 100, self.absolute)


class DefaultBinder(BindPlugin):
    """Creates a Binding."""

    name = "DefaultBinder"
