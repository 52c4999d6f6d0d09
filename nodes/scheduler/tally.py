"""How many pods of a kind stand where: counted once, and kept up as they come and go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from apimachinery.labels import Selector
from apimachinery.meta import is_deleting
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

# Ways to divide the nodes that are kept for a kind of pods.
_WAYS = 32


class Who(Protocol):
    """Says which pods are counted. Equal ones say the same."""

    def __hash__(self) -> int: ...

    def matches(self, pod: PodInfo) -> bool: ...


@dataclass(frozen=True, slots=True)
class Selected:
    """Pods of a namespace that a selector matches and that are not on their way out.

    One that matches everything selects nobody.
    """

    namespace: str
    selector: Selector

    def matches(self, pod: PodInfo) -> bool:
        return (
            pod.namespace == self.namespace
            and self.selector.matches(pod.labels)
            and not (self.selector.empty or is_deleting(pod.obj))
        )


class Where(Protocol):
    """A way to divide nodes, by their names, labels and taints. Equal ones divide them alike."""

    def __hash__(self) -> int: ...

    def part(self, node: NodeInfo) -> str | None:
        """Return in which part a node is; None where it does not count."""


@dataclass(frozen=True, slots=True)
class ByLabel:
    """Nodes by the value of a label; those that have it."""

    key: str

    def part(self, node: NodeInfo) -> str | None:
        return node.labels.get(self.key)


def parted(by_node: Mapping[str, int], nodes: Iterable[NodeInfo], where: Where) -> dict[str, int]:
    """Return how many pods stand in each part, also those where none does."""
    counts: dict[str, int] = {}
    for node in nodes:
        part = where.part(node)
        if part is not None:
            counts[part] = counts.get(part, 0) + by_node.get(node.name, 0)
    return counts


class Labels:
    """What nodes have for a label, by their names: looked up once, until nodes are others."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, str]] = {}

    def of(self, nodes: Iterable[NodeInfo], key: str) -> Mapping[str, str]:
        """Return node name -> value, of all nodes those that have the label."""
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _WAYS:
                self._known.clear()
            found = self._known[key] = {
                node.name: value for node in nodes if (value := node.labels.get(key)) is not None
            }
        return found

    def regroup(self) -> None:
        """Forget all: nodes came, went or have other labels."""
        self._known.clear()


class Tally:
    """Pods of a kind, by node and by part."""

    def __init__(self) -> None:
        self.by_node: dict[str, int] = {}
        self._by_part: dict[Where, dict[str, int]] = {}

    def by_part(self, nodes: Iterable[NodeInfo], where: Where) -> Mapping[str, int]:
        """Return how many stand in each part of all nodes; shared, never to be changed."""
        found = self._by_part.get(where)
        if found is None:
            if len(self._by_part) >= _WAYS:
                self._by_part.clear()
            found = self._by_part[where] = parted(self.by_node, nodes, where)
        return found

    def add(self, node: NodeInfo, by: int) -> None:
        """Count pods that came to a node, or went."""
        many = self.by_node.pop(node.name, 0) + by
        if many:
            self.by_node[node.name] = many
        for where, counts in self._by_part.items():
            part = where.part(node)
            if part is not None:
                counts[part] = counts.get(part, 0) + by

    def regroup(self) -> None:
        """Forget the parts: nodes came, went or have other labels or taints."""
        self._by_part.clear()
