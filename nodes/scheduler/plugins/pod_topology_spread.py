"""PodTopologySpread: alike pods go evenly over zones and hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any

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
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"

_NO_MATCH = "node(s) didn't match pod topology spread constraints"
_NO_LABEL = f"{_NO_MATCH} (missing required label)"


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
    counts: dict[str, int] = field(default_factory=dict)
    by_node: dict[str, int] = field(default_factory=dict)
    weight: float = 0.0


class PodTopologySpread(PreFilterPlugin, FilterPlugin, PreScorePlugin, ScorePlugin):
    """Refuses nodes where the skew would exceed a DoNotSchedule constraint; prefers less skew.

    A pod without constraints gets the built-in soft ones: hosts with a skew of 3 and zones with
    5, over the pods of the Services and the controller that it belongs to.
    """

    name = "PodTopologySpread"

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
        keys = [constraint.topology_key for constraint in hard]
        for constraint in hard:
            _count(state, pod, constraint, state.nodes, keys)
        state.data[self.name] = hard
        return SUCCESS

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        for constraint in state.data[self.name]:
            value = node.labels.get(constraint.topology_key)
            if value is None:
                return Status.unresolvable(_NO_LABEL)
            counts = constraint.counts
            fewest = min(counts.values(), default=0) if len(counts) >= constraint.min_domains else 0
            itself = 1 if constraint.selector.matches(pod.labels) else 0
            if counts.get(value, 0) + itself - fewest > constraint.max_skew:
                return Status.unschedulable(_NO_MATCH)
        return SUCCESS

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status:
        # The built-in constraints count nodes without their labels too.
        declared = bool(pod.spec.get("topologySpreadConstraints")) or self.defaults is not None
        soft = self._constraints(state.readers, pod, "ScheduleAnyway")
        if not soft:
            return SKIP
        keys = [constraint.topology_key for constraint in soft] if declared else []
        left_out = {n.name for n in nodes if keys and any(key not in n.labels for key in keys)}
        for constraint in soft:
            if constraint.topology_key == HOSTNAME:
                # Each node is scored by its own pods alone.
                constraint.by_node = state.counts.by_node(pod.namespace, constraint.selector)
                size = len(nodes) - len(left_out)
            else:
                _count(state, pod, constraint, state.nodes, keys)
                size = len({n.labels.get(constraint.topology_key) for n in nodes} - {None})
            # The count of a topology with few values is not to drown in one with many.
            constraint.weight = log(size + 2)
        state.data[f"{self.name}/score"] = (soft, left_out)
        return SUCCESS

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        soft, left_out = state.data[f"{self.name}/score"]
        if node.name in left_out:
            return 0
        total = 0.0
        for constraint in soft:
            value = node.labels.get(constraint.topology_key)
            if value is None:
                continue
            if constraint.topology_key == HOSTNAME:
                count = constraint.by_node.get(node.name, 0)
            else:
                count = constraint.counts.get(value, 0)
            total += count * constraint.weight + (constraint.max_skew - 1)
        return round(total)

    def normalize(self, state: CycleState, pod: PodInfo, scores: Scores) -> Scores:
        _, left_out = state.data[f"{self.name}/score"]
        ranked = [score for name, score in scores.items() if name not in left_out]
        highest, lowest = max(ranked, default=0), min(ranked, default=0)
        return {
            name: 0
            if name in left_out
            else MAX_SCORE
            if highest == 0
            else MAX_SCORE * (highest + lowest - score) // highest
            for name, score in scores.items()
        }

    def _constraints(self, readers: Readers, pod: PodInfo, when: str) -> list[Constraint]:
        """Return the pod's own constraints, or else those that pods have by default."""
        if pod.spec.get("topologySpreadConstraints"):
            return _declared(pod, when)
        if self.defaults is None:
            return _built_in(readers, pod) if when == "ScheduleAnyway" else []
        wanted = [one for one in self.defaults if one.get("whenUnsatisfiable") == when]
        selector = _belongs_with(readers, pod) if wanted else None
        return [_constraint(one, selector) for one in wanted] if selector is not None else []


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
        if wanted and from_set(wanted).matches(pod.labels):
            together |= wanted
    owner = _owner(readers, pod)
    if owner is not None:
        selector = (owner.get("spec") or {}).get("selector") or {}
        if owner["kind"] == "ReplicationController":
            together |= selector
        elif not together and selector.get("matchExpressions"):
            return from_label_selector(selector)
        else:
            together |= selector.get("matchLabels") or {}
    return from_set(together) if together else None


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


def _count(
    state: CycleState,
    pod: PodInfo,
    constraint: Constraint,
    nodes: Sequence[NodeInfo],
    keys: list[str],
) -> None:
    """Count matching pods by topology value, over the nodes that the policies let count."""
    on_nodes = state.counts.by_node(pod.namespace, constraint.selector)
    constraint.by_node = on_nodes
    counts, topology_key = constraint.counts, constraint.topology_key
    # For the most pods every node counts that has the labels: then nobody is asked.
    every = not constraint.honor_taints and not (
        constraint.honor_affinity and has_node_requirements(pod.obj)
    )
    for node in nodes:
        value = node.labels.get(topology_key)
        if value is None or (keys and any(key not in node.labels for key in keys)):
            continue
        if not (every or _counts(constraint, pod, node)):
            continue
        counts[value] = counts.get(value, 0) + on_nodes.get(node.name, 0)


def _counts(constraint: Constraint, pod: PodInfo, node: NodeInfo) -> bool:
    if constraint.honor_affinity and not fits_node_requirements(pod.obj, node.obj):
        return False
    if constraint.honor_taints and node.taints:
        hard = ("NoSchedule", "NoExecute")
        return not untolerated(node.taints, pod.spec.get("tolerations"), hard)
    return True
