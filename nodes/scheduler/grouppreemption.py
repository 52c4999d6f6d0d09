"""Whom to send away so that a group fits as a whole (WorkloadAwarePreemption).

All nodes are looked at together. Pods of a group that says so go together or not at all, and count
as important as their group; of the rest each counts for itself. As many as possible are spared,
the most important first, unless the group got fewer nodes then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from apimachinery.meta import Obj, uid_of
from nodes.scheduler.cache import Cache
from nodes.scheduler.framework import Reader
from nodes.scheduler.podgroup import goes_as_one, is_constrained, priority_of, topology_key
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.preemption import is_leaving
from nodes.scheduler.profile import Profile
from nodes.scheduler.victims import as_it_is, breaking, started

# Returns how many members would have nodes; None where the group does not fit.
Fits: TypeAlias = Callable[[], Awaitable[int | None]]

_NO_PLUGIN = "default preemption plugin is not registered, workload aware preemption is disabled"
_CONSTRAINED = (
    "workload aware preemption is not supported for pod groups with scheduling constraints"
)


@dataclass(slots=True)
class Unit:
    """Pods that go together, each with its node."""

    priority: int
    is_group: bool
    pods: list[tuple[PodInfo, str]] = field(default_factory=list)


class GroupPreemption:
    """Finds victims for one group, on a cache of its own."""

    def __init__(
        self, profile: Profile, cache: Cache, readers: Mapping[str, Reader], group: Obj
    ) -> None:
        self._cache, self._readers, self._group = cache, readers, group
        self._registered = any(p.name == "DefaultPreemption" for p in profile.post_filter)

    async def find(self, members: Sequence[PodInfo], fits: Fits) -> Sequence[PodInfo] | str:
        """Return who has to go, or why nobody does. The cache is left without those who go."""
        if why := self._not_eligible(members):
            return why
        most = priority_of(self._group)
        units = [unit for unit in self._units() if unit.priority < most]
        if not units:
            return "No preemption victims found for incoming preemptor"
        for unit in units:
            self._remove(unit)
        placed = await fits()
        if placed is None:
            return "pod group is unschedulable"
        units.sort(key=self._importance)
        budgets = self._readers["poddisruptionbudgets"].list()
        guarded = breaking([pod for unit in units for pod, _ in unit.pods], budgets)
        victims = []
        for unit in sorted(units, key=lambda one: not _has_one_of(one, guarded)):
            self._add(unit)
            now = await fits()
            if now is None or now < placed:
                self._remove(unit)
                victims.append(unit)
            placed = max(placed, now or 0)
        victims.sort(key=self._importance)
        return [pod for unit in victims for pod, _ in unit.pods]

    def _not_eligible(self, members: Sequence[PodInfo]) -> str:
        if not self._registered:
            return _NO_PLUGIN
        if is_constrained(self._group) and topology_key(self._group):
            return _CONSTRAINED
        if any(pod.spec.get("preemptionPolicy") == "Never" for pod in members):
            return "not eligible due to preemptionPolicy=Never."
        most = priority_of(self._group)
        for name in sorted({pod.nominated for pod in members} - {""}):
            node = self._cache.node(name)
            for other in node.pods.values() if node is not None else ():
                if self._priority(other) < most and is_leaving(self._now(other)):
                    return "not eligible due to a terminating pod on the nominated node."
        return ""

    def _units(self) -> list[Unit]:
        units: dict[str, Unit] = {}
        for node in self._cache.nodes:
            for pod in node.pods.values():
                group = self._group_of(pod)
                together = group is not None and goes_as_one(group)
                uid = uid_of(group) if group is not None and together else pod.uid
                if uid not in units:
                    units[uid] = Unit(self._priority(pod), pod.group is not None)
                units[uid].pods.append((pod, node.name))
        return list(units.values())

    def _group_of(self, pod: PodInfo) -> Obj | None:
        return self._readers["podgroups"].get(*pod.group) if pod.group is not None else None

    def _priority(self, pod: PodInfo) -> int:
        group = self._group_of(pod)
        return pod.priority if group is None else priority_of(group)

    def _importance(self, unit: Unit) -> tuple[int, bool, int, str]:
        """Sort the most important first."""
        size = len(unit.pods) if unit.is_group else 0
        since = min(started(self._now(pod)) for pod, _ in unit.pods)
        return -unit.priority, not unit.is_group, -size, since

    def _remove(self, unit: Unit) -> None:
        for pod, _ in unit.pods:
            self._cache.remove(pod.uid)

    def _add(self, unit: Unit) -> None:
        for pod, node in unit.pods:
            self._cache.place(pod, node)

    def _now(self, pod: PodInfo) -> Obj:
        return as_it_is(self._readers["pods"], pod)


def _has_one_of(unit: Unit, uids: set[str]) -> bool:
    return any(pod.uid in uids for pod, _ in unit.pods)
