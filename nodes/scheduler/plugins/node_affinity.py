"""NodeAffinity: spec.nodeSelector and node affinity, required and preferred."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import orjson

from apimachinery.meta import Obj
from apimachinery.nodes import (
    fits_node_requirements,
    matches_node_selector,
    matches_node_selector_term,
)
from nodes.scheduler.framework import (
    SKIP,
    SUCCESS,
    Change,
    CycleState,
    Event,
    FilterPlugin,
    Hint,
    NodeScorePlugin,
    PreFilterPlugin,
    PreScorePlugin,
    Readers,
    Scores,
    Status,
    normalized,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_ENFORCED = "node(s) didn't match scheduler-enforced node affinity"
_WHY = "node(s) didn't match Pod's node affinity/selector"
_CONFLICT = "pod affinity terms conflict"


class NodeAffinity(PreFilterPlugin, FilterPlugin, PreScorePlugin, NodeScorePlugin):
    """Refuses nodes that the required terms do not match; adds up the weights of preferred ones."""

    name = "NodeAffinity"

    added: Obj = {}  # noqa: RUF012 - replaced by `configure`, never changed

    def configure(self, args: Mapping[str, Any]) -> None:
        """args.addedAffinity holds for every pod of the profile, beside its own."""
        self.added = args.get("addedAffinity") or {}

    def hints(self) -> Mapping[Event, Hint]:
        return {Event.NODE_ADDED: self._now_matches, Event.NODE_LABELS: self._now_matches}

    def looks_at(self, pod: PodInfo) -> Hashable:
        return orjson.dumps((pod.spec.get("nodeSelector"), _required(pod)))

    def _now_matches(self, pod: PodInfo, change: Change, readers: Readers) -> bool:
        """Tell whether a node matches that did not, or was not there."""
        if self._mismatch(pod, change.obj):
            return False
        return change.old is None or bool(self._mismatch(pod, change.old))

    def pre_filter(self, state: CycleState, pod: PodInfo) -> Status:
        required = _required(pod)
        if not pod.spec.get("nodeSelector") and required is None and not self.added:
            return SKIP
        named = _named(required) if required is not None else None
        if named is None:
            return SUCCESS
        return Status.only(named) if named else Status.unresolvable(_CONFLICT)

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        why = self._mismatch(pod, node.obj)
        return Status.unresolvable(why) if why else SUCCESS

    def pre_score(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> Status:
        return SUCCESS if self._terms(pod) else SKIP

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        return sum(
            term.get("weight", 0)
            for term in self._terms(pod)
            if matches_node_selector_term(term.get("preference") or {}, node.obj)
        )

    def normalize(self, state: CycleState, pod: PodInfo, scores: Scores) -> Scores:
        return normalized(scores)

    def _mismatch(self, pod: PodInfo, node: Obj) -> str:
        """Say which required terms a node does not match, the profile's or the pod's; or ""."""
        enforced = self.added.get(_REQUIRED)
        if enforced and not matches_node_selector(enforced, node):
            return _ENFORCED
        return "" if fits_node_requirements(pod.obj, node) else _WHY

    def _terms(self, pod: PodInfo) -> list[Obj]:
        return _preferred(pod) + (self.added.get(_PREFERRED) or [])


def _affinity(pod: PodInfo) -> Obj:
    return (pod.spec.get("affinity") or {}).get("nodeAffinity") or {}


def _required(pod: PodInfo) -> Obj | None:
    found = _affinity(pod).get(_REQUIRED)
    return found if isinstance(found, dict) else None


def _preferred(pod: PodInfo) -> list[Obj]:
    found = _affinity(pod).get(_PREFERRED)
    return found if isinstance(found, list) else []


def _named(required: Obj) -> frozenset[str] | None:
    """Return the nodes that every term names, as those of a DaemonSet's pods do; None: any."""
    found: set[str] = set()
    for term in required.get("nodeSelectorTerms") or ():
        names: frozenset[str] | None = None
        for field in term.get("matchFields") or ():
            if field.get("key") == "metadata.name" and field.get("operator") == "In":
                given = frozenset(field.get("values") or ())
                names = given if names is None else names & given
        if names is None:
            return None
        found |= names
    return frozenset(found)
