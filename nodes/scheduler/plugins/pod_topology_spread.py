"""PodTopologySpread: alike pods go evenly over zones and hosts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import compress, repeat
from math import log
from operator import not_
from typing import Any

import orjson

from apimachinery.labels import Selector, from_label_selector, from_set
from apimachinery.meta import Obj, controller_of, labels_of, namespace_of
from apimachinery.nodes import fits_node_requirements, has_node_requirements, untolerated
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
    each,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.tally import Selected

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"

_WHY = "node(s) didn't match pod topology spread constraints"
_NO_MATCH = Status.unschedulable(_WHY)
_NO_LABEL = Status.unresolvable(f"{_WHY} (missing required label)")


@dataclass(slots=True)
class Constraint:
    """One spec.topologySpreadConstraints entry, read."""

    topology_key: str
    max_skew: int
    selector: Selector
    min_domains: int = 1
    honor_affinity: bool = True
    honor_taints: bool = False
    # Pods that match, by the value of the topology key, on nodes that count.
    counts: Mapping[str, int] = field(default_factory=dict)
    # The least of the counts, 0 where there are not enough domains.
    fewest: int = 0
    # 1 where the pod is one of those that are counted.
    itself: int = 0
    weight: float = 0.0


class PodTopologySpread(PreFilterPlugin, FilterPlugin, PreScorePlugin, ScorePlugin):
    """Refuses nodes where the skew would exceed a DoNotSchedule constraint; prefers less skew.

    A pod without constraints gets the built-in soft ones: hosts with a skew of 3 and zones with
    5, over the pods of the Services and the controller that it belongs to.
    """

    name = "PodTopologySpread"
    counts_pods = True

    # The constraints of pods without their own; None: the built-in ones.
    defaults: Sequence[Obj] | None = None

    def configure(self, args: Mapping[str, Any]) -> None:
        if args["defaultingType"] == "List":
            self.defaults = args.get("defaultConstraints") or ()

    def hints(self) -> Mapping[Event, Hint]:
        return {
            **dict.fromkeys((Event.POD_ADDED, Event.POD_GONE), self._counts_now),
            **dict.fromkeys((Event.POD_LABELS, Event.OWN_LABELS), self._counts_otherwise),
            Event.OWN_TOLERATIONS: self._looks_at_taints,
            **dict.fromkeys((Event.NODE_ADDED, Event.NODE_GONE), self._other_domains),
            **dict.fromkeys((Event.NODE_LABELS, Event.NODE_TAINTS), self._other_domains),
        }

    def looks_at(self, pod: PodInfo) -> Hashable:
        own = orjson.dumps((pod.spec.get("topologySpreadConstraints"), controller_of(pod.obj)))
        return pod.namespace, own, tuple(sorted(pod.labels.items()))

    def _counts_now(self, pod: PodInfo, change: Change, readers: Readers) -> bool:
        """Tell whether a pod that came or went is one that is counted."""
        if namespace_of(change.obj) != pod.namespace:
            return False
        labels = labels_of(change.obj)
        return any(one.selector.matches(labels) for one in self._hard(readers, pod))

    def _counts_otherwise(self, pod: PodInfo, change: Change, readers: Readers) -> bool:
        """Tell whether a pod is counted by its new labels and was not by the old, or was."""
        if namespace_of(change.obj) != pod.namespace:
            return False
        before, now = labels_of(change.old or {}), labels_of(change.obj)
        return any(
            one.selector.matches(before) != one.selector.matches(now)
            for one in self._hard(readers, pod)
        )

    def _looks_at_taints(self, pod: PodInfo, change: Change, readers: Readers) -> bool:
        return any(one.honor_taints for one in self._hard(readers, pod))

    def _other_domains(self, pod: PodInfo, change: Change, readers: Readers) -> bool:
        """Tell whether a node came into the pod's domains, left them, or is in others now."""
        keys = [one.topology_key for one in self._hard(readers, pod)]
        before, now = (
            [labels_of(node).get(key) for key in keys] if node is not None else None
            for node in (change.old, change.new)
        )
        was_in, is_in = (values is not None and None not in values for values in (before, now))
        if was_in != is_in:
            return True
        return is_in and (before != now or change.event is Event.NODE_TAINTS)

    def _hard(self, readers: Readers, pod: PodInfo) -> list[Constraint]:
        return self._constraints(readers, pod, "DoNotSchedule")

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        hard = self._hard(state.readers, pod)
        if not hard:
            return SKIP
        keys = tuple(constraint.topology_key for constraint in hard)
        for constraint in hard:
            _count(state, pod, constraint, keys)
            if len(constraint.counts) >= constraint.min_domains:
                constraint.fewest = min(constraint.counts.values(), default=0)
            constraint.itself = int(constraint.selector.matches(pod.labels))
        state.data[self.name] = hard
        return SUCCESS

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        for constraint in state.data[self.name]:
            value = node.labels.get(constraint.topology_key)
            if value is None:
                return _NO_LABEL
            skew = constraint.counts.get(value, 0) + constraint.itself - constraint.fewest
            if skew > constraint.max_skew:
                return _NO_MATCH
        return SUCCESS

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status:
        # The built-in constraints count nodes without their labels too.
        declared = bool(pod.spec.get("topologySpreadConstraints")) or self.defaults is not None
        soft = self._constraints(state.readers, pod, "ScheduleAnyway")
        if not soft:
            return SKIP
        keys = tuple(constraint.topology_key for constraint in soft) if declared else ()
        left_out = [any(key not in node.labels for key in keys) for node in nodes] if keys else []
        names = [node.name for node in nodes]
        columns: list[Sequence[int | None]] = []
        column: Sequence[int | None]
        counting = []
        for constraint in soft:
            if constraint.topology_key == HOSTNAME:
                column = _on_each(state, pod, constraint, names)
                size = len(nodes) - sum(left_out)
            elif keys or not columns or state.labelled(constraint.topology_key):
                _count(state, pod, constraint, keys)
                column, size = _around(state, constraint, names, left_out)
            else:
                continue  # no node is in any zone: that adds nothing to any
            columns.append(column)
            counting.append(constraint)
            # The count of a topology with few values is not to drown in one with many.
            constraint.weight = log(size + 2)
        rows: Sequence[Any] = columns[0] if len(columns) == 1 else [*zip(*columns, strict=True)]
        state.data[f"{self.name}/score"] = (counting, rows, left_out)
        return SUCCESS

    def scores(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Scores:
        soft, rows, left_out = state.data[f"{self.name}/score"]

        def rate(found: Any) -> int:
            total = 0.0
            counts: Sequence[int | None] = (found,) if len(soft) == 1 else found
            for count, one in zip(counts, soft, strict=True):
                if count is not None:
                    total += count * one.weight + (one.max_skew - 1)
            return int(total + 0.5)

        return _zeroed(each(rows, rate), left_out)

    def normalize(self, state: CycleState, pod: PodInfo, scores: Scores) -> Scores:
        _, _, left_out = state.data[f"{self.name}/score"]
        ranked = [*compress(scores, map(not_, left_out))] if left_out else scores
        highest, lowest = max(ranked, default=0), min(ranked, default=0)
        if highest == 0:
            return _zeroed([MAX_SCORE] * len(scores), left_out)
        rated = each(scores, lambda score: MAX_SCORE * (highest + lowest - score) // highest)
        return _zeroed(rated, left_out)

    def _constraints(self, readers: Readers, pod: PodInfo, when: str) -> list[Constraint]:
        """Return the pod's own constraints, or else those that pods have by default."""
        if pod.spec.get("topologySpreadConstraints"):
            return _declared(pod, when)
        if self.defaults is None:
            return _built_in(readers, pod) if when == "ScheduleAnyway" else []
        wanted = [one for one in self.defaults if one.get("whenUnsatisfiable") == when]
        selector = _belongs_with(readers, pod) if wanted else None
        return [_constraint(one, selector) for one in wanted] if selector is not None else []


def _zeroed(scores: Scores, left_out: Sequence[bool]) -> Scores:
    """Return scores with 0 for the nodes that are left out; none where that is empty."""
    if not any(left_out):
        return scores
    return [0 if out else score for score, out in zip(scores, left_out, strict=True)]


def _constraint(given: Mapping[str, Any], selector: Selector) -> Constraint:
    return Constraint(
        given["topologyKey"],
        given.get("maxSkew") or 1,
        selector,
        given.get("minDomains") or 1,
        given.get("nodeAffinityPolicy", "Honor") == "Honor",
        given.get("nodeTaintsPolicy", "Ignore") == "Honor",
    )


def _declared(pod: PodInfo, when: str) -> list[Constraint]:
    found = []
    for given in pod.spec.get("topologySpreadConstraints") or ():
        if given.get("whenUnsatisfiable") != when:
            continue
        selector = dict(given.get("labelSelector") or {})
        same = {k: pod.labels[k] for k in given.get("matchLabelKeys") or () if k in pod.labels}
        if same:
            selector["matchLabels"] = {**(selector.get("matchLabels") or {}), **same}
        chosen = from_label_selector(selector if given.get("labelSelector") is not None else None)
        found.append(_constraint(given, chosen))
    return found


def _built_in(readers: Readers, pod: PodInfo) -> list[Constraint]:
    selector = _belongs_with(readers, pod)
    if selector is None:
        return []
    return [Constraint(HOSTNAME, 3, selector), Constraint(ZONE, 5, selector)]


def _belongs_with(readers: Readers, pod: PodInfo) -> Selector | None:
    """Return the selector of the pod's Services and controller (helper.DefaultSelector)."""
    together: dict[str, str] = {}
    for service in readers["services"].list(pod.namespace):
        wanted = (service.get("spec") or {}).get("selector")
        if wanted and wanted.items() <= pod.labels.items():
            together |= wanted
    owner = _owner(readers, pod)
    wanted = (owner.get("spec") or {}).get("selector") or {} if owner is not None else {}
    plain = owner is None or owner["kind"] == "ReplicationController"
    found = _joint(orjson.dumps((together, wanted)), plain=plain)
    return None if found.empty else found


@lru_cache(maxsize=1024)
def _joint(content: bytes, *, plain: bool) -> Selector:
    """Return the selector of labels and of an owner's selector; `plain`: labels, this one, too."""
    together, wanted = orjson.loads(content)
    if plain:
        return from_set(together | wanted)
    parts = (*from_set(together).requirements, *from_label_selector(wanted).requirements)
    return Selector(dict.fromkeys(parts))


_OWNERS = {
    "ReplicationController": "replicationcontrollers",
    "ReplicaSet": "replicasets",
    "StatefulSet": "statefulsets",
}


def _owner(readers: Readers, pod: PodInfo) -> Obj | None:
    reference = controller_of(pod.obj)
    plural = _OWNERS.get(reference["kind"]) if reference else None
    if reference is None or plural is None:
        return None
    owner = readers[plural].get(pod.namespace, reference["name"])
    return {**owner, "kind": reference["kind"]} if owner is not None else None


@dataclass(frozen=True, slots=True)
class _Domains:
    """Nodes by the value of a label, of those that have all labels and that the policies let count.

    `counting` is what is asked of the pod for that; "" for nothing.
    """

    key: str
    needed: tuple[str, ...]
    counting: bytes
    constraint: Constraint = field(compare=False)
    pod: PodInfo = field(compare=False)

    @classmethod
    def of(cls, constraint: Constraint, pod: PodInfo, needed: tuple[str, ...]) -> _Domains:
        spec, asks = pod.spec, dict[str, Any]()
        if constraint.honor_affinity and has_node_requirements(pod.obj):
            asks["affinity"] = (spec.get("nodeSelector"), spec.get("affinity"))
        if constraint.honor_taints:
            asks["tolerations"] = spec.get("tolerations")
        counting = orjson.dumps(asks) if asks else b""
        return cls(constraint.topology_key, needed, counting, constraint, pod)

    def part(self, node: NodeInfo) -> str | None:
        value = node.labels.get(self.key)
        if value is None or any(one not in node.labels for one in self.needed):
            return None
        if self.counting and not _counts(self.constraint, self.pod, node):
            return None
        return value


def _count(state: CycleState, pod: PodInfo, constraint: Constraint, keys: tuple[str, ...]) -> None:
    """Count matching pods by topology value, over the nodes that the policies let count."""
    where = _Domains.of(constraint, pod, keys)
    constraint.counts = state.counts.by_part(
        state.nodes, Selected(pod.namespace, constraint.selector), where
    )


def _on_each(
    state: CycleState, pod: PodInfo, constraint: Constraint, names: Sequence[str]
) -> list[int | None]:
    """Return how many pods count on each node by itself; None for one without the label."""
    labelled = state.labelled(HOSTNAME)
    count = state.counts.by_node(Selected(pod.namespace, constraint.selector)).get
    if len(labelled) == len(state.nodes):
        return [*map(count, names, repeat(0))]
    return [count(name, 0) if name in labelled else None for name in names]


def _around(
    state: CycleState, constraint: Constraint, names: Sequence[str], left_out: Sequence[bool]
) -> tuple[Sequence[int | None], int]:
    """Return how many pods count where each node is, None for one that is in no such place; and
    in how many places those are that are scored: who is in none is somewhere too.
    """
    values = [*map(state.labelled(constraint.topology_key).get, names)]
    there = set(values)
    counts: dict[str | None, int | None] = {**dict.fromkeys(there, 0), None: None}
    counts.update(constraint.counts)
    scored = set(compress(values, map(not_, left_out))) if any(left_out) else there
    return [*map(counts.__getitem__, values)], len(scored)


def _counts(constraint: Constraint, pod: PodInfo, node: NodeInfo) -> bool:
    if constraint.honor_affinity and not fits_node_requirements(pod.obj, node.obj):
        return False
    if constraint.honor_taints and node.taints:
        hard = ("NoSchedule", "NoExecute")
        return not untolerated(node.taints, pod.spec.get("tolerations"), hard)
    return True
