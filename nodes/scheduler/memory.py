"""What plugins said of a node, for as long as they would say the same again.

Thousands of pods of one template ask the same of every node, and only the node that took the pod
before has changed since. What looks at nothing but the node and what such pods ask for is
worked out once for each state of the node; all that is said of it is what would have been said.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
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


Nodes: TypeAlias = dict[str, Seen]


class Memory:
    """What the plugins of a profile said of nodes, for the kinds of pods that came last."""

    def __init__(self, profile: Profile) -> None:
        self._kinds: OrderedDict[Hashable, Nodes] = OrderedDict()
        self.scored = [p for p, _ in profile.score if isinstance(p, NodeScorePlugin)]

    def of(self, state: CycleState, pod: PodInfo, filters: Sequence[FilterPlugin]) -> Nodes:
        """Return what is known for pods like this one that these filters are asked about.

        Of nodes that are gone not much is kept.
        """
        if stand_ins(state, pod):
            return {}  # devices count, too, which come and go without a change of their node
        nodes = len(state.nodes)
        kind = (_asks_for(pod), tuple(plugin.name for plugin in filters))
        found = self._kinds.get(kind)
        if found is None:
            found = self._kinds[kind] = {}
            if len(self._kinds) > _KINDS:
                self._kinds.popitem(last=False)
        else:
            self._kinds.move_to_end(kind)
        if len(found) > 2 * nodes:
            found.clear()
        return found

    def scores(
        self, known: Nodes, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Iterator[tuple[ScorePlugin, Scores]]:
        """Yield each plugin that is remembered with its scores of the nodes."""
        seen = [known[node.name] for node in nodes]
        for node, one in zip(nodes, seen, strict=True):
            if one.scores is None:
                one.scores = tuple(plugin.score(state, pod, node) for plugin in self.scored)
        columns = zip(*(one.scores or () for one in seen), strict=True)
        yield from zip(self.scored, columns, strict=False)


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
