"""PrioritySort, DefaultPreemption, DefaultBinder: what the queue and the loop do, by its names.

A profile that leaves DefaultPreemption out sends nobody away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nodes.scheduler.framework import (
    SUCCESS,
    BindPlugin,
    Event,
    Hint,
    PostFilterPlugin,
    PreEnqueuePlugin,
    QueueSortPlugin,
    Readers,
    Status,
    never,
)
from nodes.scheduler.podinfo import PodInfo

_WAIT = Status.unresolvable("waiting for the preemption for this pod to be finished")


class PrioritySort(QueueSortPlugin):
    """The highest priority first, then who waits longest."""

    name = "PrioritySort"


class DefaultPreemption(PreEnqueuePlugin, PostFilterPlugin):
    """Looks for pods of lower priority that could go: on so many nodes at the least.

    While they are being sent away, the pod that they go for is kept out of the queue.
    """

    name = "DefaultPreemption"
    percentage, absolute = 10, 100
    # Tells by uid for whom pods have still to be sent away.
    running: Callable[[str], bool] = staticmethod(lambda uid: False)

    def hints(self) -> Mapping[Event, Hint]:
        """Have those who refused the pod asked again; that room is made says nothing by itself."""
        return {Event.POD_GONE: never}

    def pre_enqueue(self, pod: PodInfo, readers: Readers) -> Status:
        return _WAIT if self.running(pod.uid) else SUCCESS

    def configure(self, args: Mapping[str, Any]) -> None:
        self.percentage = args["minCandidateNodesPercentage"]
        self.absolute = args["minCandidateNodesAbsolute"]

    def candidates(self, nodes: int) -> int:
        """Return at how many candidates the search may stop."""
        return max(nodes * self.percentage // 100, self.absolute)


class DefaultBinder(BindPlugin):
    """Creates a Binding."""

    name = "DefaultBinder"
