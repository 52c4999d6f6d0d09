"""Whether a pod would fit on a node if other pods stood there than do.

What plugins have found before the nodes depends on pods for a few of them: these find it anew, as
with the AddPod and RemovePod of Kubernetes' PreFilterExtensions. What says nothing of the pod as
things are is not asked then either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nodes.scheduler.framework import Code, CycleState, FilterPlugin, PodCounts, PreFilterPlugin
from nodes.scheduler.memory import Refusal, first_refusal
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.tally import Where, Who


class _Supposed(PodCounts):
    """Pod counts as they would be with some pods of a node gone, and others there."""

    def __init__(
        self,
        state: CycleState,
        node: NodeInfo,
        gone: Sequence[PodInfo],
        come: Sequence[PodInfo],
    ) -> None:
        self._counts, self._nodes, self._node = state.counts, state.nodes, node
        self._gone, self._come = gone, come

    def by_node(self, who: Who) -> Mapping[str, int]:
        found, more = self._counts.by_node(who), self._more(who)
        name = self._node.name
        return {**found, name: found.get(name, 0) + more} if more else found

    def by_part(self, nodes: Sequence[NodeInfo], who: Who, where: Where) -> Mapping[str, int]:
        found = self._counts.by_part(self._nodes, who, where)
        more, part = self._more(who), where.part(self._node)
        if not more or part is None:
            return found
        return {**found, part: found.get(part, 0) + more}

    def _more(self, who: Who) -> int:
        return sum(map(who.matches, self._come)) - sum(map(who.matches, self._gone))


class Supposing:
    """Asks the filters of one attempt about nodes with other pods."""

    def __init__(self, state: CycleState, pod: PodInfo, filters: Sequence[FilterPlugin]) -> None:
        self._state, self._pod, self._filters = state, pod, filters
        self._anew = [
            one for one in filters if isinstance(one, PreFilterPlugin) and one.counts_pods
        ]
        # For the most pods nobody has to look anew: then the nodes do not matter.
        self._nodes = list(state.nodes) if self._anew else []
        self._at = {node.name: at for at, node in enumerate(self._nodes)}

    def refusal(
        self, node: NodeInfo, gone: Sequence[PodInfo] = (), come: Sequence[PodInfo] = ()
    ) -> Refusal | None:
        """Return who refuses a node, None where nobody does; `gone` and `come` are what differs."""
        if not self._anew:
            return first_refusal(self._filters, self._state, self._pod, node)
        at = self._at[node.name]
        real, self._nodes[at] = self._nodes[at], node
        try:
            return self._ask(node, gone, come)
        finally:
            self._nodes[at] = real

    def _ask(
        self, node: NodeInfo, gone: Sequence[PodInfo], come: Sequence[PodInfo]
    ) -> Refusal | None:
        known, skipped = self._state, set()
        minded = any(one.minds_others for one in (*gone, *come))
        state = CycleState(
            self._nodes,
            _Supposed(known, node, gone, come),
            known.readers,
            data=dict(known.data),
            kept=known.kept,
            company=None if minded else known.company,
            place_of=known.place_of,
        )
        for plugin in self._anew:
            status = plugin.pre_filter(state, self._pod)
            if status.code is Code.SKIP:
                skipped.add(plugin.name)
            elif not status.ok:
                return plugin.name, status
        asked = [one for one in self._filters if one.name not in skipped] if skipped else None
        return first_refusal(asked or self._filters, state, self._pod, node)
