"""An attempt at a pod in which extenders have a say: after the filters, in the scores, and in
where room is made.
"""

from __future__ import annotations

from collections.abc import Sequence

from nodes.scheduler.attempt import Attempt
from nodes.scheduler.cache import Cache
from nodes.scheduler.config.reading import Extender
from nodes.scheduler.cycle import Cycle, Outcome, Search
from nodes.scheduler.extenders import ExtenderError, Extenders
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.preemption import Candidate, choices


class Asking:
    """Tries pods with a scheduler's extenders."""

    def __init__(self, extenders: Extenders, cache: Cache) -> None:
        self._extenders, self._cache = extenders, cache

    async def run(
        self,
        cycle: Cycle,
        asked: Sequence[Extender],
        pod: PodInfo,
        attempt: Attempt,
        within: Sequence[NodeInfo] | None = None,
    ) -> Outcome:
        """Try one pod, as `Cycle.run` does, and ask these extenders about it."""
        found = cycle.look(pod, attempt, within)
        try:
            left = await self._left(asked, pod, found, attempt)
            if isinstance(found, Search) and found.by_nomination and not left:
                found = cycle.look(pod, attempt, within, anywhere=True)
                left = await self._left(asked, pod, found, attempt)
        except ExtenderError as error:
            return Outcome(message=str(error), error=True)
        if isinstance(found, Outcome):
            return found
        found.fitting = left
        more = []
        if len(found.fitting) > 1:
            more = await self._extenders.prioritize(asked, pod, found.fitting)
        outcome = cycle.settle(pod, attempt, found, more)
        if outcome.candidates:
            await self._ask_for_victims(cycle, asked, pod, outcome, attempt)
        return outcome

    async def _left(
        self, asked: Sequence[Extender], pod: PodInfo, found: Outcome | Search, attempt: Attempt
    ) -> list[NodeInfo]:
        """Return the nodes that extenders leave of those that fit. Raises ExtenderError."""
        if isinstance(found, Outcome):
            return []
        return await self._extenders.filter(asked, pod, found.fitting, attempt)

    async def _ask_for_victims(
        self,
        cycle: Cycle,
        asked: Sequence[Extender],
        pod: PodInfo,
        outcome: Outcome,
        attempt: Attempt,
    ) -> None:
        """Let extenders have a say in where room is made, and who has to go."""
        nodes = {node.name: node for node in self._cache.nodes}
        given, left = outcome.candidates, list[Candidate]()
        try:
            left = cycle.ranked(await self._extenders.preempt(asked, pod, given, nodes, attempt))
            why = "no candidate node for preemption"
        except ExtenderError as error:
            why = str(error)
        outcome.candidates, attempt.candidates = left, choices(left)
        if not left:
            outcome.keeps_nominated = True
            outcome.message = f"{outcome.message} preemption: {why}"
