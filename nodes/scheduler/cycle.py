"""One attempt at one pod: filter the nodes, score what is left, choose. Pure but for chance."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from nodes.scheduler.attempt import Attempt, Column, summed
from nodes.scheduler.cache import Cache
from nodes.scheduler.framework import (
    EXTENDER,
    NO_NODES,
    Code,
    CycleState,
    FilterPlugin,
    Reader,
    Status,
    Write,
)
from nodes.scheduler.memory import Memory, Nodes, Refusal, first_refusal, remembered
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.preemption import Candidate, Preemption, choices
from nodes.scheduler.profile import Profile
from nodes.scheduler.sentences import no_victims, sentence
from nodes.scheduler.supposing import Supposing

# Below this many nodes all are looked at (minFeasibleNodesToFind).
_FEW_NODES = 100


@dataclass(slots=True)
class Outcome:
    """The node that was chosen, or why there is none and whose going would change that."""

    node: str = ""
    message: str = ""
    refused_by: set[str] = field(default_factory=set)
    # Where room could be made, the best first; it is made on the first.
    candidates: Sequence[Candidate] = ()
    # What plugins have kept for the points that follow.
    state: CycleState | None = None
    # The message says what went wrong, not why no node fits.
    error: bool = False
    # What would be written so that the next attempt may go better.
    writes: tuple[Write, ...] = ()
    # Why is said of the group that the pod is of.
    of_group: bool = False
    # The node that was to be the pod's before, if any, stays so.
    keeps_nominated: bool = False
    # It was looked for pods that could go, and none would help.
    in_vain: bool = False

    @property
    def nominated(self) -> str | None:
        """Return the node that is to be the pod's from now on; None where that stays as it is."""
        if self.candidates:
            return self.candidates[0].node
        return None if self.keeps_nominated else ""

    @property
    def preemption(self) -> Candidate | None:
        """Return where room is made."""
        return self.candidates[0] if self.candidates else None


@dataclass(slots=True)
class Search:
    """The nodes that there are, and those of them that fit."""

    state: CycleState
    nodes: list[NodeInfo]
    fitting: list[NodeInfo]
    # What was known of them, and is by now.
    known: Nodes
    # The one that fits was to be the pod's; others have not been looked at.
    by_nomination: bool = False


@dataclass(frozen=True, slots=True)
class _Only:
    """The nodes that preFilter leaves, and the plugins that say so."""

    nodes: frozenset[str]
    plugins: str

    @staticmethod
    def of(before: _Only | None, nodes: frozenset[str], plugin: str) -> _Only:
        if before is None:
            return _Only(nodes, plugin)
        return _Only(before.nodes & nodes, f"{before.plugins} {plugin}")

    @property
    def conflict(self) -> str:
        if " " in self.plugins:
            return f"node(s) didn't satisfy plugin(s) [{self.plugins}] simultaneously"
        return f"node(s) didn't satisfy plugin {self.plugins}"


def _hopeless(node: str) -> bool:
    return True


class Cycle:
    """Tries pods against the cache, with one profile."""

    def __init__(
        self,
        cache: Cache,
        profile: Profile,
        readers: dict[str, Reader],
        chance: random.Random,
        *,
        looks_at_all: bool = False,
        makes_room: bool = True,
        extended: bool = False,
    ) -> None:
        """`looks_at_all`: the search for nodes that fit does not stop before all were looked at.

        `makes_room`: where no node fits the plugins are asked what can be done. `extended`: there
        are extenders that have a say in where pods go.
        """
        self._cache, self._profile, self._looks_at_all = cache, profile, looks_at_all
        self._makes_room = makes_room
        # Where nobody says which node is better, any will do.
        self._any_will_do = not (profile.score or extended or looks_at_all)
        self._readers, self._chance = readers, chance
        self._preemption = Preemption(profile, cache, readers, chance)
        self._memory = Memory(profile)
        self._start = 0

    @property
    def profile(self) -> Profile:
        """Return the profile that pods are tried with."""
        return self._profile

    def run(
        self, pod: PodInfo, attempt: Attempt, within: Sequence[NodeInfo] | None = None
    ) -> Outcome:
        """Try one pod and write down what happened; on all nodes, or on those of a placement."""
        found = self.look(pod, attempt, within)
        return found if isinstance(found, Outcome) else self.settle(pod, attempt, found)

    def ranked(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Return nodes on which room could be made in order, the best first."""
        return self._preemption.ranked(candidates)

    def look(
        self,
        pod: PodInfo,
        attempt: Attempt,
        within: Sequence[NodeInfo] | None = None,
        *,
        anywhere: bool = False,
    ) -> Outcome | Search:
        """Return the nodes that fit, or the outcome where no node could.

        Where one was to be the pod's it is tried first, and alone if it fits; unless `anywhere`.
        """
        cache = self._cache
        nodes = cache.nodes if within is None else list(within)
        state = cache.state(self._readers)
        attempt.evaluated, attempt.lacks = len(nodes), state.lacks
        if not nodes:
            return Outcome(message="no nodes available to schedule pods", refused_by={NO_NODES})
        began = time.perf_counter()
        filters, only, refusal = self._pre_filter(state, pod)
        looked = time.perf_counter()
        attempt.seconds["preFilter"] = looked - began
        if refusal is not None:
            plugin, status = refusal
            why = ", ".join(status.reasons)
            attempt.refused = {node.name: (plugin, status.reasons) for node in nodes}
            attempt.unresolvable = {node.name for node in nodes}
            return self._before_nodes(state, pod, plugin, why, len(nodes))
        known = self._memory.of(state, pod, filters)
        nominated = self._nominated(pod, within) if pod.nominated and not anywhere else None
        if nominated is not None:
            start = self._start
            fitting = self._filter(state, pod, filters, [nominated], attempt, known)
            self._start = start
            if fitting:
                attempt.seconds["filter"] = time.perf_counter() - looked
                return Search(state, nodes, fitting, known, by_nomination=True)
        chosen_from = nodes if only is None else self._left_by(only, nodes, attempt)
        fitting = self._filter(state, pod, filters, chosen_from, attempt, known)
        attempt.seconds["filter"] = time.perf_counter() - looked
        return Search(state, nodes, fitting, known)

    def _nominated(self, pod: PodInfo, within: Sequence[NodeInfo] | None) -> NodeInfo | None:
        """Return the node that was to be the pod's, where it can be tried."""
        node = self._cache.node(pod.nominated)
        if node is None or not node.obj or self._looks_at_all:
            return None
        return node if within is None or node in within else None

    def settle(
        self, pod: PodInfo, attempt: Attempt, found: Search, more: Sequence[Column] = ()
    ) -> Outcome:
        """Choose among the nodes that fit; `more` are scores beside those of the plugins."""
        attempt.fitting = len(found.fitting)
        if not found.fitting:
            if not self._makes_room:
                return Outcome(message="", refused_by=set())
            began = time.perf_counter()
            outcome = self._make_room(found.state, pod, found.nodes, attempt)
            attempt.seconds["postFilter"] = time.perf_counter() - began
            return outcome
        chosen = found.fitting[0]
        if len(found.fitting) > 1:
            chosen = self._best(pod, found, attempt, more)
        return Outcome(node=chosen.name, state=found.state)

    def _make_room(
        self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo], attempt: Attempt
    ) -> Outcome:
        """Look for what could be taken back, and for pods that could go; say why the pod waits."""
        refused, hopeless = attempt.refused, attempt.unresolvable
        refused_by = {_who(plugin) for plugin, _ in refused.values()}
        message = sentence(len(nodes), refused)
        words, writes = self._post_filter(state, pod)
        keeps, in_vain = bool(self._profile.post_filter), False
        if self._preemption.enabled:
            if why := self._preemption.not_eligible(pod, hopeless.__contains__):
                words.append(f"preemption: {why}")
            else:
                found = self._preemption.find(pod, nodes, hopeless.__contains__)
                if candidates := found.candidates:
                    attempt.candidates = choices(candidates)
                    return Outcome("", message, refused_by, candidates, writes=writes)
                keeps, in_vain = False, True
                words.append(no_victims(len(nodes), found.refused))
        message = " ".join((message, ", ".join(words))).rstrip()
        return Outcome(
            "", message, refused_by, writes=writes, keeps_nominated=keeps, in_vain=in_vain
        )

    def _post_filter(self, state: CycleState, pod: PodInfo) -> tuple[list[str], tuple[Write, ...]]:
        """Ask the plugins what can be done, but for preemption."""
        words: list[str] = []
        writes: tuple[Write, ...] = ()
        for plugin in self._profile.post_filter:
            said, wanted = plugin.post_filter(state, pod)
            writes += wanted
            if said:
                words.append(said)
        return words, writes

    def _before_nodes(
        self, state: CycleState, pod: PodInfo, refuser: str, why: str, nodes: int
    ) -> Outcome:
        """Return the outcome where a plugin has refused the pod before it looked at nodes."""
        message = f"0/{nodes} nodes are available: {why}."
        outcome = Outcome("", message, {refuser}, keeps_nominated=bool(self._profile.post_filter))
        asked = [plugin.name for plugin in self._profile.pre_filter]
        not_asked = asked[asked.index(refuser) + 1 :]
        if any(plugin.name in not_asked for plugin in self._profile.post_filter):
            # One looks for what it found out before, and fails: nobody else is asked.
            outcome.message = f"{message} not found"
            return outcome
        words, outcome.writes = self._post_filter(state, pod)
        if self._preemption.enabled:
            denied = self._preemption.not_eligible(pod, _hopeless)
            words.append(f"preemption: {denied}" if denied else no_victims(nodes, {}))
            outcome.in_vain, outcome.keeps_nominated = not denied, bool(denied)
        outcome.message = " ".join((message, ", ".join(words))).rstrip()
        return outcome

    def _pre_filter(
        self, state: CycleState, pod: PodInfo
    ) -> tuple[list[FilterPlugin], _Only | None, tuple[str, Status] | None]:
        """Return the filters to ask, the nodes that are left (None: all), or who refuses all."""
        skipped = set()
        only: _Only | None = None
        for plugin in self._profile.pre_filter:
            status = plugin.pre_filter(state, pod)
            if status.code is Code.SKIP:
                skipped.add(plugin.name)
            elif not status.ok:
                return [], None, (plugin.name, status)
            elif status.nodes is not None:
                only = _Only.of(only, status.nodes, plugin.name)
                if not only.nodes:
                    return [], None, (plugin.name, Status.unresolvable(only.conflict))
        return [p for p in self._profile.filter if p.name not in skipped], only, None

    def _left_by(self, only: _Only, nodes: list[NodeInfo], attempt: Attempt) -> list[NodeInfo]:
        """Refuse the nodes that preFilter has left out; return the others."""
        reasons = (f"node(s) didn't satisfy plugin(s) [{only.plugins}]",)
        plugin = only.plugins.partition(" ")[0]
        for node in nodes:
            if node.name not in only.nodes:
                attempt.refused[node.name] = (plugin, reasons)
                attempt.unresolvable.add(node.name)
        return [node for node in nodes if node.name in only.nodes]

    def _filter(
        self,
        state: CycleState,
        pod: PodInfo,
        filters: list[FilterPlugin],
        nodes: list[NodeInfo],
        attempt: Attempt,
        known: Nodes,
    ) -> list[NodeInfo]:
        """Return the nodes that fit; why others do not, the attempt is told.

        In a large cluster the search starts where the last one ended, and stops at enough.
        """
        total = len(nodes)
        enough = self._enough(total)
        split = remembered(filters)
        lasting, others = filters[:split], filters[split:]

        def ask(node: NodeInfo) -> Refusal | None:
            return first_refusal(lasting, state, pod, node)

        keeps_room = self._cache.keeps_room
        if enough == total and nodes is self._cache.nodes and not (others or keeps_room):
            attempt.looked = total
            fitting = known.look_at_all(nodes, ask)
            for at in sorted(known.refused):
                _refuse(attempt, nodes[at].name, known.refused[at])
            return fitting
        fitting = []
        looked = 0
        start = self._start % max(total, 1) if enough < total else 0
        supposing: Supposing | None = None
        for one in chain(nodes[start:], nodes[:start]):
            looked += 1
            node = self._cache.with_nominated(one, pod) if keeps_room else one
            refusal = known.look(node, ask).refusal
            if refusal is None and node is not one:
                supposing = supposing or Supposing(state, pod, others)
                # Who is only to come must not be what lets it in.
                refusal = supposing.refusal(node, come=node.beside(one)) or first_refusal(
                    filters, state, pod, one
                )
            elif refusal is None and others:
                refusal = first_refusal(others, state, pod, node)
            if refusal is None:
                fitting.append(one)
                if len(fitting) >= enough:
                    break
                continue
            _refuse(attempt, node.name, refusal)
        attempt.looked = looked
        self._start = (self._start + looked) % max(total, 1)
        return fitting

    def _enough(self, total: int) -> int:
        percentage = self._profile.percentage
        if self._any_will_do:
            return 1
        if total < _FEW_NODES or self._looks_at_all or percentage == 100:
            return total
        percentage = percentage or max(50 - total // 125, 5)
        return max(total * percentage // 100, _FEW_NODES)

    def _best(
        self, pod: PodInfo, found: Search, attempt: Attempt, more: Sequence[Column]
    ) -> NodeInfo:
        began = time.perf_counter()
        state, fitting, known = found.state, found.fitting, found.known
        skipped = {
            plugin.name
            for plugin in self._profile.pre_score
            if plugin.pre_score(state, pod, fitting).code is Code.SKIP
        }
        looked = time.perf_counter()
        attempt.seconds["preScore"] = looked - began
        raws = dict(self._memory.scores(known, state, pod, fitting))
        for plugin, weight in self._profile.score:
            if plugin.name in skipped:
                continue
            raw = raws.get(plugin) or plugin.scores(state, pod, fitting)
            even = plugin.normalize(state, pod, raw)
            attempt.table.append(Column(plugin.name, weight, raw, even))
        attempt.table.extend(more)
        of_all = fitting is known.fitting
        attempt.scored = known.names if of_all else [node.name for node in fitting]
        attempt.sums = sums = summed(attempt.table, len(fitting))
        best = max(sums)
        tied = [at for at, total in enumerate(sums) if total == best]
        attempt.tied = tuple(map(attempt.scored.__getitem__, tied))
        attempt.seconds["score"] = time.perf_counter() - looked
        return fitting[tied[0] if len(tied) == 1 else self._chance.choice(tied)]


def _refuse(attempt: Attempt, node: str, refusal: Refusal) -> None:
    plugin, status = refusal
    attempt.refused[node] = (plugin, status.reasons)
    if status.code is Code.UNRESOLVABLE:
        attempt.unresolvable.add(node)


def _who(plugin: str) -> str:
    """Return by which name the queue knows who refused: all extenders have one."""
    return EXTENDER if plugin.startswith(f"{EXTENDER} ") else plugin
