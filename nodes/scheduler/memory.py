"""What plugins said of a node, for as long as they would say the same again.

Thousands of pods of one template ask the same of every node, and only the node that took the pod
before has changed since. What looks at nothing but the node and what such pods ask for is
worked out once for each state of the node; all that is said of it is what would have been said.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import compress
from operator import ne
from typing import TypeAlias

import orjson

from nodes.scheduler.devices.extended import stand_ins
from nodes.scheduler.framework import (
    CycleState,
    FilterPlugin,
    NodeScorePlugin,
    ScorePlugin,
    Scores,
    Status,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.profile import Profile

# Filters that look at nothing else, as those do that are a NodeScorePlugin. The parts of a pod that
# all of them look at are in `_asks_for`.
_OF_THE_NODE_ALONE = frozenset(
    {
        "NodeUnschedulable",
        "NodeName",
        "TaintToleration",
        "NodeAffinity",
        "NodePorts",
        "NodeResourcesFit",
    }
)
# Kinds of pods that are remembered: those that are being scheduled at a time. One takes some
# 200 bytes a node.
_KINDS = 8

# The plugin that refuses a node, and its answer.
Refusal: TypeAlias = tuple[str, Status]


class Seen:
    """A node in one state, as a kind of pods sees it."""

    __slots__ = ("refusal", "scores", "version")

    def __init__(self, version: int, refusal: Refusal | None) -> None:
        self.version, self.refusal = version, refusal
        # In the order of `Memory.scored`; None: not asked for yet.
        self.scores: tuple[int, ...] | None = None


class Nodes:
    """Nodes as a kind of pods sees them."""

    __slots__ = (
        *("_columns", "_fits", "_listed", "_seen", "_stale", "_versions"),
        *("fitting", "names", "refused"),
    )

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self._follow([])

    def _follow(self, nodes: list[NodeInfo]) -> None:
        # All nodes that there are; as long as it is this list, those are looked at again alone
        # that have changed. `_stale`: the places of those whose scores are old.
        self._listed = nodes
        self._versions = [0] * len(nodes)
        self._stale = set[int]()
        self._columns: list[list[int]] = []
        # By its place who is refused, and the others; neither is to be changed.
        self.refused: dict[int, Refusal] = {}
        self._sort_out()

    def _sort_out(self) -> None:
        self._fits = [at not in self.refused for at in range(len(self._listed))]
        self.fitting = [*compress(self._listed, self._fits)]
        self.names = [node.name for node in self.fitting]

    def look(self, node: NodeInfo, ask: Callable[[NodeInfo], Refusal | None]) -> Seen:
        """Return a node as it is seen now."""
        seen = self._seen.get(node.name)
        if seen is None or seen.version != node.version:
            seen = self._seen[node.name] = Seen(node.version, ask(node))
        return seen

    def look_at_all(
        self, nodes: list[NodeInfo], ask: Callable[[NodeInfo], Refusal | None]
    ) -> list[NodeInfo]:
        """Return which of all the nodes that there are fit; `refused` says why others do not."""
        if nodes is not self._listed:
            self._follow(nodes)
        versions = [node.version for node in nodes]
        others = False
        for at in compress(range(len(nodes)), map(ne, versions, self._versions)):
            refusal = self.look(nodes[at], ask).refusal
            others |= self._fits[at] is not (refusal is None)
            if refusal is not None:
                self.refused[at] = refusal
            elif at in self.refused:
                del self.refused[at]
            self._stale.add(at)
        self._versions = versions
        if others:
            self._sort_out()
        return self.fitting

    def columns(
        self, nodes: Sequence[NodeInfo], score: Callable[[NodeInfo], tuple[int, ...]]
    ) -> list[Scores]:
        """Return the scores of nodes that fit, by plugins; all have been looked at."""
        if nodes is not self.fitting:
            return [*zip(*(self._scores(node, score) for node in nodes), strict=True)]
        listed = self._listed
        if not self._columns:
            rows = [self._scores(node, score) for node in listed]
            self._columns = [[*column] for column in zip(*rows, strict=True)]
        else:
            for at in self._stale:
                for column, one in zip(self._columns, self._scores(listed[at], score), strict=True):
                    column[at] = one
        self._stale.clear()
        if not self.refused:
            return [column.copy() for column in self._columns]
        return [[*compress(column, self._fits)] for column in self._columns]

    def _scores(
        self, node: NodeInfo, score: Callable[[NodeInfo], tuple[int, ...]]
    ) -> tuple[int, ...]:
        seen = self._seen[node.name]
        if seen.scores is None:
            seen.scores = score(node)
        return seen.scores

    def forget_others(self, nodes: int) -> None:
        """Keep not much of nodes that are gone; there are so many."""
        if len(self._seen) > 2 * nodes:
            self._seen.clear()
            self._follow([])


class Memory:
    """What the plugins of a profile said of nodes, for the kinds of pods that came last."""

    def __init__(self, profile: Profile) -> None:
        self._kinds: OrderedDict[Hashable, Nodes] = OrderedDict()
        self.scored = [p for p, _ in profile.score if isinstance(p, NodeScorePlugin)]

    def of(self, state: CycleState, pod: PodInfo, filters: Sequence[FilterPlugin]) -> Nodes:
        """Return what is known for pods like this one that these filters are asked about."""
        if stand_ins(state, pod):
            return Nodes()  # devices count, too, which come and go without a change of their node
        kind = (_asks_for(pod), tuple(plugin.name for plugin in filters))
        found = self._kinds.get(kind)
        if found is None:
            found = self._kinds[kind] = Nodes()
            if len(self._kinds) > _KINDS:
                self._kinds.popitem(last=False)
        else:
            self._kinds.move_to_end(kind)
        found.forget_others(len(state.nodes))
        return found

    def scores(
        self, known: Nodes, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Iterator[tuple[ScorePlugin, Scores]]:
        """Yield each plugin that is remembered with its scores of the nodes."""

        def score(node: NodeInfo) -> tuple[int, ...]:
            return tuple(plugin.score(state, pod, node) for plugin in self.scored)

        if self.scored:
            yield from zip(self.scored, known.columns(nodes, score), strict=True)


def remembered(filters: Sequence[FilterPlugin]) -> int:
    """Return how many filters, from the first on, look at the node alone."""
    others = (at for at, one in enumerate(filters) if one.name not in _OF_THE_NODE_ALONE)
    return next(others, len(filters))


def first_refusal(
    filters: Sequence[FilterPlugin], state: CycleState, pod: PodInfo, node: NodeInfo
) -> Refusal | None:
    """Return who refuses a node, None where nobody does."""
    for plugin in filters:
        status = plugin.filter(state, pod, node)
        if not status.ok:
            return plugin.name, status
    return None


def _asks_for(pod: PodInfo) -> Hashable:
    spec = pod.spec
    affinity = (spec.get("affinity") or {}).get("nodeAffinity")
    parts = (spec.get("nodeName"), spec.get("tolerations"), spec.get("nodeSelector"), affinity)
    return pod.requests, pod.ports, orjson.dumps(parts)
