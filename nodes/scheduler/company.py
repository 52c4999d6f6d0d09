"""Pods that mind who else is where they are, by what they say of it: those of a template say the
same, so that one of them is asked for all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

import orjson

from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.tally import Tally


@dataclass(slots=True)
class Kind:
    """Pods that say the same: one of them, and where they stand."""

    pod: PodInfo
    many: int = 0
    tally: Tally = field(default_factory=Tally)


class Company:
    """Pods with affinity or anti-affinity to others, kept up as they come and go."""

    def __init__(self, nodes: Iterable[NodeInfo] = ()) -> None:
        self._kinds: dict[Hashable, Kind] = {}
        for node in nodes:
            for pod in node.with_affinity.values():
                self.change(pod, node, 1)

    def kinds(self) -> Iterable[Kind]:
        return self._kinds.values()

    def change(self, pod: PodInfo, node: NodeInfo, by: int) -> None:
        """Take in a pod that came to a node, or went."""
        if not pod.minds_others:
            return
        says = _says(pod)
        kind = self._kinds.get(says)
        if kind is None:
            kind = self._kinds[says] = Kind(pod)
        kind.many += by
        kind.tally.add(node, by)
        if not kind.many:
            del self._kinds[says]

    def regroup(self) -> None:
        """Take note that nodes came, went or have other labels."""
        for kind in self._kinds.values():
            kind.tally.regroup()


def _says(pod: PodInfo) -> Hashable:
    affinity = pod.spec["affinity"]
    content = orjson.dumps((affinity.get("podAffinity"), affinity.get("podAntiAffinity")))
    labels = tuple(sorted(pod.labels.items())) if b"LabelKeys" in content else ()
    return pod.namespace, content, labels
