"""DefaultPreemption: whom to send away so that a pod of higher priority fits.

A node is a candidate when the pod would fit there without the pods of lower priority. Of these as
many as possible are spared, the most important first; what is left are the victims. The node is
chosen that breaks the fewest disruption budgets, then has the least important victims, then the
fewest, then the youngest (pkg/scheduler/framework/preemption).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from apimachinery.meta import Obj, is_deleting
from apimachinery.nodes import condition
from nodes.scheduler.attempt import CANDIDATES, VICTIMS, Choice, Victim
from nodes.scheduler.cache import Cache
from nodes.scheduler.framework import Code, Reader, Status
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.plugins.defaults import DefaultPreemption
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.profile import Profile
from nodes.scheduler.supposing import Supposing
from nodes.scheduler.victims import as_it_is, breaking, by_importance, started

# Added to each priority, so that of victims with negative ones more are not better than fewer.
_ABOVE_ZERO = 1 << 31
_NOBODY = Status.unresolvable("No preemption victims found for incoming pod")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node, who would have to go, and how many of them break a disruption budget."""

    node: str
    victims: tuple[PodInfo, ...]
    violations: int


@dataclass(slots=True)
class Findings:
    """Where room could be made, the best first; of other nodes, why none can be made there."""

    candidates: list[Candidate] = field(default_factory=list)
    refused: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Preemption:
    """Finds candidates for one profile."""

    def __init__(
        self,
        profile: Profile,
        cache: Cache,
        readers: Mapping[str, Reader],
        chance: random.Random,
    ) -> None:
        self._profile, self._cache = profile, cache
        self._readers, self._chance = dict(readers), chance
        found = [one for one in profile.post_filter if isinstance(one, DefaultPreemption)]
        self._plugin = found[0] if found else None

    @property
    def enabled(self) -> bool:
        """Tell whether the profile has anybody sent away."""
        return self._plugin is not None

    def not_eligible(self, pod: PodInfo, hopeless: Callable[[str], bool]) -> str:
        """Say why the pod may not preempt; "" if it may."""
        if self._plugin is not None and (why := self._plugin.leaves_to_group(pod)):
            return why
        if pod.spec.get("preemptionPolicy") == "Never":
            return "not eligible due to preemptionPolicy=Never."
        node = self._cache.node(pod.nominated)
        if node is None or hopeless(node.name):
            return ""
        for other in node.pods.values():
            if other.priority < pod.priority and is_leaving(self._now(other)):
                return "not eligible due to a terminating pod on the nominated node."
        return ""

    def find(
        self, pod: PodInfo, nodes: Sequence[NodeInfo], hopeless: Callable[[str], bool]
    ) -> Findings:
        """Look for nodes on which room could be made.

        Where there are more than enough the search starts anywhere; it goes on until one is found
        that breaks no budget.
        """
        some = [node for node in nodes if not hopeless(node.name)]
        enough = self._plugin.candidates(len(some)) if self._plugin is not None else 0
        if len(some) > enough:
            start = self._chance.randrange(len(some))
            some = some[start:] + some[:start]
        found, harmless = Findings(), False
        supposing = self._supposing(pod)
        for node in some:
            looked = self._on(pod, node, supposing)
            if isinstance(looked, Status):
                found.refused[node.name] = looked.reasons
                continue
            found.candidates.append(looked)
            harmless = harmless or not looked.violations
            if harmless and len(found.candidates) >= enough:
                break
        found.candidates = self.ranked(found.candidates)
        return found

    def ranked(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Return candidates in order, the best first."""
        return sorted(candidates, key=self._rank)

    def _supposing(self, pod: PodInfo) -> Supposing:
        """Let plugins look at the pod before the nodes, as they have done in its attempt."""
        state, skipped = self._cache.state(self._readers), set()
        for plugin in self._profile.pre_filter:
            if plugin.pre_filter(state, pod).code is Code.SKIP:
                skipped.add(plugin.name)
        filters = [one for one in self._profile.filter if one.name not in skipped]
        return Supposing(state, pod, filters)

    def _on(self, pod: PodInfo, node: NodeInfo, supposing: Supposing) -> Candidate | Status:
        lower = [other for other in node.pods.values() if other.priority < pod.priority]
        if not lower:
            return _NOBODY
        emptier = node.copy()
        for other in lower:
            emptier.remove(other.uid)

        def refusal() -> Status | None:
            gone = [one for one in lower if one.uid not in emptier.pods]
            # With those that wait for room there, and without them.
            crowded = self._cache.with_nominated(emptier, pod)
            if crowded is not emptier:
                come = crowded.beside(emptier)
                if why := supposing.refusal(crowded, gone, come):
                    return why[1]
            why = supposing.refusal(emptier, gone)
            return why[1] if why else None

        if (why := refusal()) is not None:
            return why
        ranked = by_importance(lower, self._now)
        guarded = breaking(ranked, self._readers["poddisruptionbudgets"].list())
        victims: list[PodInfo] = []
        violations = 0
        for other in sorted(ranked, key=lambda one: one.uid not in guarded):
            emptier.add(other)
            if refusal() is not None:
                emptier.remove(other.uid)
                victims.append(other)
                violations += other.uid in guarded
        if not victims:
            return Status.error(f'expected at least one victim pod on node "{node.name}"')
        return Candidate(node.name, tuple(by_importance(victims, self._now)), violations)

    def _rank(self, candidate: Candidate) -> tuple[int, int, int, int, str]:
        """Order candidates, the best first; the last part prefers victims that started late."""
        victims = candidate.victims
        highest = max(victim.priority for victim in victims)
        most = (started(self._now(one)) for one in victims if one.priority == highest)
        return (
            candidate.violations,
            highest,
            sum(victim.priority + _ABOVE_ZERO for victim in victims),
            len(victims),
            _reversed(min(most)),
        )

    def _now(self, pod: PodInfo) -> Obj:
        return as_it_is(self._readers["pods"], pod)


def is_leaving(pod: Obj) -> bool:
    """Tell whether a pod is on its way out since the scheduler has sent it away."""
    target = condition(pod, "DisruptionTarget") or {}
    return (
        is_deleting(pod)
        and target.get("status") == "True"
        and target.get("reason") == "PreemptionByScheduler"
    )


def choices(candidates: Sequence[Candidate]) -> tuple[Choice, ...]:
    """Return what an attempt keeps of candidates: the best."""
    return tuple(map(_choice, candidates[:CANDIDATES]))


def _choice(candidate: Candidate) -> Choice:
    named = candidate.victims[:VICTIMS]
    return Choice(
        candidate.node,
        tuple(Victim(f"{pod.namespace}/{pod.name}", pod.priority) for pod in named),
        len(candidate.victims),
        candidate.violations,
    )


def _reversed(stamp: str) -> str:
    """Turn an order of timestamps around: of two the later becomes the smaller."""
    return "".join(chr(0x10FFFF - ord(character)) for character in stamp)
