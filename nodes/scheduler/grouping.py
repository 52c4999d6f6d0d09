"""Where a group can stand: the same nodes for all, the best of several placements, or only after
others have gone.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from apimachinery.meta import Obj
from nodes.scheduler.attempt import Attempt
from nodes.scheduler.cache import Cache
from nodes.scheduler.cycle import Cycle, Outcome
from nodes.scheduler.framework import Placement, PlacementError, Reader
from nodes.scheduler.grouppreemption import GroupPreemption
from nodes.scheduler.groups import ERROR, UNSCHEDULABLE, Groups
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podgroup import GroupFeatures, Key
from nodes.scheduler.profile import Profile
from nodes.scheduler.trials import Trial, Verdict
from nodes.scheduler.waiting import Waiting

# Tries a pod on some nodes (None: on all); None where it has gone meanwhile.
Look: TypeAlias = Callable[
    [Cycle, Waiting, Sequence[NodeInfo] | None], Awaitable[tuple[Outcome, Attempt] | None]
]


class Grouping:
    """Tries groups, by the features that are on."""

    def __init__(
        self,
        cache: Cache,
        groups: Groups,
        readers: Mapping[str, Reader],
        features: GroupFeatures,
        look: Look,
        cycle_on: Callable[[Cache, Profile], Cycle],
    ) -> None:
        """`cycle_on` returns a cycle that makes no room."""
        self._cache, self._groups, self._readers = cache, groups, readers
        self._features, self._look, self._cycle_on = features, look, cycle_on
        self._chance = random.Random(0)  # noqa: S311 - a tie-break that can be repeated

    async def run(self, cycle: Cycle, key: Key, members: Sequence[Waiting]) -> Trial:
        """Try all members; what fits stands on its nodes until the trial is decided."""
        group = self._readers["podgroups"].get(*key)
        if why := _mixed(members):
            return _failed(cycle.profile, self._cache, members, why)
        if group is not None and self._features.topology:
            trial = await self._on_the_best(cycle, group, key, members)
        else:
            trial = await self._try(cycle, self._cache, members, None)
        refused = trial.verdict.reason == UNSCHEDULABLE and not trial.verdict.waits
        if group is not None and refused and self._features.preemption:
            trial.withdraw()
            await self._make_room(cycle.profile, trial, group, members)
        return trial

    async def _try(
        self,
        cycle: Cycle,
        cache: Cache,
        members: Sequence[Waiting],
        within: Sequence[NodeInfo] | None,
    ) -> Trial:
        trial = Trial(cycle.profile, cache)
        try:
            for at, waiting in enumerate(members):
                found = await self._look(cycle, waiting, within)
                if found is not None and not trial.take(waiting, *found):
                    trial.left = members[at + 1 :]
                    break
        except Exception:
            trial.withdraw()
            raise
        return trial

    # Placements.

    async def _on_the_best(
        self, cycle: Cycle, group: Obj, key: Key, members: Sequence[Waiting]
    ) -> Trial:
        """Try the group on the nodes of each placement, and let it have the best."""
        try:
            placements = self._placements(cycle.profile, group, key)
        except PlacementError as error:
            return _failed(cycle.profile, self._cache, members, str(error))
        first: Trial | None = None
        good: list[tuple[Placement, Trial]] = []
        for placement in placements:
            trial = await self._try(cycle, self._cache, members, placement.nodes)
            trial.withdraw()
            if trial.verdict.reason == ERROR:
                return trial
            first = first or trial
            if trial.fits:
                good.append((placement, trial))
        if good:
            chosen = self._best(cycle.profile, key, good)
            chosen.again()
            return chosen
        none = first or Trial(cycle.profile, self._cache)
        words = f"0/{len(placements)} placements are available"
        if first is None:
            none.left = members
        else:
            words += f", first placement status: {first.verdict.message}"
        none.verdict = Verdict(UNSCHEDULABLE, words)
        return none

    def _placements(self, profile: Profile, group: Obj, key: Key) -> list[Placement]:
        there = []
        for pod, name in self._groups.standing(key):
            node = self._cache.node(name)
            if node is not None and node.obj:
                there.append((pod, node))
        found: list[Placement] = []
        for plugin in profile.placement:
            found += plugin.placements(group, self._cache.nodes, there)
        return found if profile.placement else [Placement("", self._cache.nodes)]

    def _best(self, profile: Profile, key: Key, good: Sequence[tuple[Placement, Trial]]) -> Trial:
        if len(good) == 1:
            return good[0][1]
        already = self._groups.placed(key, self._cache.place_of)
        totals = [0] * len(good)
        for plugin, weight in profile.placement_score:
            raw = [
                plugin.score_placement(placement, trial.assignments, already)
                for placement, trial in good
            ]
            even = plugin.normalize_placements(raw)
            totals = [total + weight * score for total, score in zip(totals, even, strict=True)]
        best = max(totals)
        tied = [trial for (_, trial), total in zip(good, totals, strict=True) if total == best]
        return tied[0] if len(tied) == 1 else self._chance.choice(tied)

    # Preemption.

    async def _make_room(
        self, profile: Profile, trial: Trial, group: Obj, members: Sequence[Waiting]
    ) -> None:
        """Look for pods that could go, so that the group as a whole fits then."""
        cache = self._cache.fork(whole=True)

        async def fits() -> int | None:
            """Return how many members would have nodes; None where the group does not fit."""
            tried = await self._try(self._cycle_on(cache, profile), cache, members, None)
            tried.withdraw()
            return len(tried.assignments) if tried.fits else None

        preemption = GroupPreemption(profile, cache, self._readers, group)
        found = await preemption.find([one.pod for one in members], fits)
        if isinstance(found, str):
            trial.verdict.message += f", {found}"
            return
        trial.verdict.waits, trial.verdict.victims = True, found


def _mixed(members: Sequence[Waiting]) -> str:
    """Say that members want different schedulers; "" where they do not."""
    first, *others = [one.pod.scheduler for one in members]
    for other in others:
        if other != first:
            return (
                "all pods in a single pod group should have the same .spec.schedulerName set, "
                f'got: "{other}" and "{first}"'
            )
    return ""


def _failed(profile: Profile, cache: Cache, members: Sequence[Waiting], why: str) -> Trial:
    """Return a trial in which nobody was tried."""
    trial = Trial(profile, cache)
    trial.left, trial.verdict = members, Verdict(ERROR, why)
    return trial
