"""InterPodAffinity: pods that want to be together, and pods that want to be apart."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import orjson

from apimachinery.labels import Selector, from_label_selector
from apimachinery.meta import Obj, labels_of, name_of
from nodes.scheduler.framework import (
    MAX_SCORE,
    SKIP,
    SUCCESS,
    Change,
    CycleState,
    Event,
    FilterPlugin,
    Hint,
    PreFilterPlugin,
    PreScorePlugin,
    Readers,
    ScorePlugin,
    Scores,
    Status,
    always,
    each,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.tally import ByLabel

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


_NOT_TOGETHER = Status.unresolvable("node(s) didn't match pod affinity rules")
_NOT_APART = Status.unschedulable("node(s) didn't match pod anti-affinity rules")
_NOT_WANTED = Status.unschedulable("node(s) didn't satisfy existing pods anti-affinity rules")
# Topology key -> value -> what it adds to the score of a node there.
_Weights: TypeAlias = dict[str, dict[str | None, int]]


class Term(NamedTuple):
    """An affinity term: which pods, in which namespaces, within what."""

    selector: Selector
    namespaces: frozenset[str]
    namespace_selector: Selector | None
    topology_key: str
    weight: int = 0

    def matches(self, readers: Readers, pod: PodInfo) -> bool:
        return self._in_namespace(readers, pod.namespace) and self.selector.matches(pod.labels)

    def _in_namespace(self, readers: Readers, namespace: str) -> bool:
        if namespace in self.namespaces:
            return True
        chosen = self.namespace_selector
        if chosen is None or chosen.empty:
            return chosen is not None
        return chosen.matches(labels_of(readers["namespaces"].get("", namespace) or {}))

    def named(self, readers: Readers) -> Term:
        """Return the same term with the namespaces, as they are now, named one by one; or all."""
        chosen = self.namespace_selector
        if chosen is None or chosen.empty:
            return self
        there = map(name_of, readers["namespaces"].list(selector=chosen))
        return self._replace(namespaces=self.namespaces.union(there), namespace_selector=None)


class InterPodAffinity(PreFilterPlugin, FilterPlugin, PreScorePlugin, ScorePlugin):
    """Refuses nodes that break a required term, of the pod's or of a pod that is there."""

    name = "InterPodAffinity"
    counts_pods = True

    # A pod's required affinity draws its like with this weight.
    hard_weight = 1
    # Whether preferences of pods that are there do not count.
    ignore_theirs = False

    def configure(self, args: Mapping[str, Any]) -> None:
        self.hard_weight = args["hardPodAffinityWeight"]
        self.ignore_theirs = bool(args.get("ignorePreferredTermsOfExistingPods"))

    def hints(self) -> Mapping[Event, Hint]:
        return {
            Event.POD_ADDED: _joins,
            Event.POD_LABELS: _other_company,
            Event.POD_GONE: _leaves,
            Event.OWN_LABELS: always,
            Event.NODE_ADDED: _other_place,
            Event.NODE_LABELS: _other_place,
        }

    def looks_at(self, pod: PodInfo) -> Hashable:
        own = orjson.dumps((_given(pod, "podAffinity"), _given(pod, "podAntiAffinity")))
        return pod.namespace, own, tuple(sorted(pod.labels.items()))

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        together, apart = _terms(pod, "podAffinity"), _terms(pod, "podAntiAffinity")
        refusing = self._refused_by_others(state, pod)
        if not together and not apart and not refusing:
            return SKIP
        wanted = {
            (key, value)
            for key in {term.topology_key for term in together}
            for value in _places(_counted(state, together, key))
        }
        # The first of a group that wants its own kind has nobody to join: it may go anywhere.
        first = not wanted and all(term.matches(state.readers, pod) for term in together)
        state.data[self.name] = (
            together,
            wanted,
            first,
            [(term, _places(_counted(state, (term,), term.topology_key))) for term in apart],
            refusing,
        )
        return SUCCESS

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        together, wanted, first, apart, refusing = state.data[self.name]
        for term in together:
            value = node.labels.get(term.topology_key)
            if value is None or ((term.topology_key, value) not in wanted and not first):
                return _NOT_TOGETHER
        for term, places in apart:
            if node.labels.get(term.topology_key) in places:
                return _NOT_APART
        if any(node.labels.get(key) in values for key, values in refusing.items()):
            return _NOT_WANTED
        return SUCCESS

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status:
        weights: _Weights = {}
        own = [(t, t.weight) for t in _terms(pod, "podAffinity", _PREFERRED)]
        own += [(t, -t.weight) for t in _terms(pod, "podAntiAffinity", _PREFERRED)]
        if self.ignore_theirs and not own:
            return SKIP
        for term, weight in own:
            _add(weights, term, weight, _counted(state, (term,), term.topology_key))
        for kind in state.minding_others():
            for term, weight in self._draws(kind.pod):
                if term.matches(state.readers, pod):
                    there = kind.tally.by_part(state.nodes, ByLabel(term.topology_key))
                    _add(weights, term, weight, there)
        if not weights:
            return SKIP
        state.data[f"{self.name}/score"] = weights
        return SUCCESS

    def scores(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Scores:
        weights: _Weights = state.data[f"{self.name}/score"]
        found = [0] * len(nodes)
        for key, by_value in weights.items():
            weight = by_value.get
            found = [
                known + weight(node.labels.get(key), 0)
                for known, node in zip(found, nodes, strict=True)
            ]
        return found

    def normalize(self, state: CycleState, pod: PodInfo, scores: Scores) -> Scores:
        lowest, highest = min(scores), max(scores)
        span = highest - lowest
        return each(scores, lambda score: MAX_SCORE * (score - lowest) // span if span else 0)

    def _refused_by_others(self, state: CycleState, pod: PodInfo) -> dict[str, set[str]]:
        """Return by topology key the values where a pod stands whose anti-affinity names this."""
        found: dict[str, set[str]] = {}
        for kind in state.minding_others():
            for term in _terms(kind.pod, "podAntiAffinity"):
                if term.matches(state.readers, pod):
                    key = term.topology_key
                    places = _places(kind.tally.by_part(state.nodes, ByLabel(key)))
                    if places:
                        found.setdefault(key, set()).update(places)
        return found

    def _draws(self, other: PodInfo) -> Iterator[tuple[Term, int]]:
        """Yield how a pod that is there draws or repels others."""
        for term in _terms(other, "podAffinity"):
            yield term, self.hard_weight
        if self.ignore_theirs:
            return
        for term in _terms(other, "podAffinity", _PREFERRED):
            yield term, term.weight
        for term in _terms(other, "podAntiAffinity", _PREFERRED):
            yield term, -term.weight


def _joins(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a pod that has its node now is one that this one wants to be with."""
    terms = _terms(pod, "podAffinity")
    return bool(terms) and _all_match(terms, readers, PodInfo.of(change.obj))


def _leaves(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a pod that is gone kept this one away, by its own terms or by this one's."""
    other = PodInfo.of(change.obj)
    return any(term.matches(readers, other) for term in _terms(pod, "podAntiAffinity")) or any(
        term.matches(readers, pod) for term in _terms(other, "podAntiAffinity")
    )


def _other_company(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether other labels of a pod make this one want to be with it, or no longer apart."""
    before, now = PodInfo.of(change.old or {}), PodInfo.of(change.obj)
    together, apart = _terms(pod, "podAffinity"), _terms(pod, "podAntiAffinity")
    if _all_match(together, readers, now) and not _all_match(together, readers, before):
        return True
    return any(term.matches(readers, before) and not term.matches(readers, now) for term in apart)


def _other_place(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether a node is in another topology than it was, of those that matter to the pod."""
    before, now = labels_of(change.old or {}), labels_of(change.obj)
    terms = (*_terms(pod, "podAffinity"), *_terms(pod, "podAntiAffinity"))
    # Without terms of its own it is others that keep it away: any other node may do.
    return not terms or any(
        before.get(term.topology_key) != now.get(term.topology_key) for term in terms
    )


def _all_match(terms: Sequence[Term], readers: Readers, other: PodInfo) -> bool:
    return bool(terms) and all(term.matches(readers, other) for term in terms)


@dataclass(frozen=True, slots=True)
class _Named:
    """Pods that all of these terms name, which choose all namespaces or say which."""

    terms: tuple[Term, ...]

    def matches(self, pod: PodInfo) -> bool:
        return all(
            (term.namespace_selector is not None or pod.namespace in term.namespaces)
            and term.selector.matches(pod.labels)
            for term in self.terms
        )


def _counted(state: CycleState, terms: tuple[Term, ...], key: str) -> Mapping[str, int]:
    """Return by the values of a label how many of the pods stand there that all terms name."""
    who = _Named(tuple(term.named(state.readers) for term in terms))
    return state.counts.by_part(state.nodes, who, ByLabel(key))


def _places(counts: Mapping[str, int]) -> set[str]:
    return {value for value, count in counts.items() if count}


def _add(weights: _Weights, term: Term, weight: int, counts: Mapping[str, int]) -> None:
    """Let each pod that is counted draw, or repel, with a weight."""
    there = {value: count for value, count in counts.items() if count}
    if there:
        by_value = weights.setdefault(term.topology_key, {})
        for value, count in there.items():
            by_value[value] = by_value.get(value, 0) + weight * count


def _given(pod: PodInfo, which: str, when: str = _REQUIRED) -> list[Obj]:
    """Return terms as they are written."""
    return ((pod.spec.get("affinity") or {}).get(which) or {}).get(when) or []


def _terms(pod: PodInfo, which: str, when: str = _REQUIRED) -> tuple[Term, ...]:
    given = _given(pod, which, when)
    if not given:
        return ()
    same = {
        key: pod.labels.get(key)
        for entry in given
        for key in (entry.get("podAffinityTerm") or entry).get("matchLabelKeys") or ()
    }
    return _read(orjson.dumps((given, same)), pod.namespace)


@lru_cache(maxsize=1024)
def _read(content: bytes, namespace: str) -> tuple[Term, ...]:
    given, same = orjson.loads(content)
    return tuple(_term(entry, namespace, same) for entry in given)


def _term(entry: Obj, namespace: str, same: dict[str, str]) -> Term:
    term: dict[str, Any] = entry.get("podAffinityTerm") or entry
    selector = dict(term.get("labelSelector") or {})
    keys = {key: same[key] for key in term.get("matchLabelKeys") or () if same.get(key)}
    if keys:
        selector["matchLabels"] = {**(selector.get("matchLabels") or {}), **keys}
    by_label = term.get("namespaceSelector")
    named = term.get("namespaces") or ([] if by_label is not None else [namespace])
    return Term(
        from_label_selector(selector if term.get("labelSelector") is not None else None),
        frozenset(named),
        from_label_selector(by_label) if by_label is not None else None,
        term["topologyKey"],
        entry.get("weight", 0),
    )
