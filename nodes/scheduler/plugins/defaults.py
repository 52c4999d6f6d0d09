"""PrioritySort, DefaultPreemption, DefaultBinder: what the queue and the loop do, by its names.

A profile that leaves DefaultPreemption out sends nobody away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodes.scheduler.framework import BindPlugin, PostFilterPlugin, QueueSortPlugin


class PrioritySort(QueueSortPlugin):
    """The highest priority first, then who waits longest."""

    name = "PrioritySort"


class DefaultPreemption(PostFilterPlugin):
    """Looks for pods of lower priority that could go: on so many nodes at the least."""

    name = "DefaultPreemption"
    percentage, absolute = 10, 100

    def configure(self, args: Mapping[str, Any]) -> None:
        self.percentage = args["minCandidateNodesPercentage"]
        self.absolute = args["minCandidateNodesAbsolute"]

    def candidates(self, nodes: int) -> int:
        """Return at how many candidates the search may stop."""
        return max(nodes * self.percentage // 100, self.absolute)


class DefaultBinder(BindPlugin):
    """Creates a Binding."""

    name = "DefaultBinder"
