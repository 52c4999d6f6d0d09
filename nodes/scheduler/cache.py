"""The cluster as the scheduler sees it, kept up by events and by what it has assumed itself.

A pod that is being bound counts on its node at once: the next pod must not get the same room.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apimachinery.labels import Selector
from apimachinery.meta import Obj, name_of
from nodes.scheduler.framework import PodCounts, is_counted
from nodes.scheduler.images import Images
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

# Different selectors to keep counts for: one a Deployment, and as many as are being scheduled.
_SELECTORS = 256


@dataclass(slots=True)
class _Tally:
    """How many pods of a namespace a selector matches."""

    by_node: dict[str, int] = field(default_factory=dict)
    # By the labels that a node needs to be counted, the one that tells it apart first.
    by_value: dict[tuple[str, ...], dict[str, int]] = field(default_factory=dict)

    def add(self, node: NodeInfo, by: int) -> None:
        self.by_node[node.name] = self.by_node.get(node.name, 0) + by
        for labels, counts in self.by_value.items():
            if all(one in node.labels for one in labels):
                counts[node.labels[labels[0]]] += by


class Counts(PodCounts):
    """Pods that match a selector; asked again it costs a look-up, not a count."""

    def __init__(self, pods: dict[str, PodInfo], places: dict[str, str]) -> None:
        self._pods, self._places = pods, places
        self._known: OrderedDict[tuple[str, Selector], _Tally] = OrderedDict()

    def by_node(self, namespace: str, selector: Selector) -> dict[str, int]:
        """Return node name -> count; shared, never to be changed."""
        if selector.empty:
            return {}
        return self._tally(namespace, selector).by_node

    def by_value(
        self,
        nodes: Sequence[NodeInfo],
        namespace: str,
        selector: Selector,
        key: str,
        needed: tuple[str, ...] = (),
    ) -> dict[str, int]:
        """Return value of a label -> count; shared, never to be changed."""
        if selector.empty:
            return super().by_value(nodes, namespace, selector, key, needed)
        known = self._tally(namespace, selector).by_value
        labels = (key, *needed)
        found = known.get(labels)
        if found is None:
            found = known[labels] = super().by_value(nodes, namespace, selector, key, needed)
        return found

    def change(self, pod: PodInfo, node: NodeInfo, by: int) -> None:
        """Count a pod that came to a node, or went."""
        for (namespace, selector), tally in self._known.items():
            if is_counted(pod, namespace, selector):
                tally.add(node, by)

    def regroup(self) -> None:
        """Forget what was counted by labels: nodes have other ones."""
        for tally in self._known.values():
            tally.by_value.clear()

    def _tally(self, namespace: str, selector: Selector) -> _Tally:
        key = (namespace, selector)
        tally = self._known.get(key)
        if tally is not None:
            self._known.move_to_end(key)
            return tally
        tally = self._known[key] = _Tally()
        found = tally.by_node
        for uid, node in self._places.items():
            pod = self._pods[uid]
            if is_counted(pod, namespace, selector):
                found[node] = found.get(node, 0) + 1
        if len(self._known) > _SELECTORS:
            self._known.popitem(last=False)
        return tally


class Cache:
    """Nodes with the pods that stand, or are about to stand, on them."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeInfo] = {}
        self._pods: dict[str, PodInfo] = {}
        self._places: dict[str, str] = {}
        self._nominated: dict[str, tuple[PodInfo, str]] = {}
        # The same by node.
        self._awaited: dict[str, dict[str, PodInfo]] = {}
        self._listed: list[NodeInfo] | None = None
        self._with_affinity: list[NodeInfo] | None = None
        self.counts, self.images = Counts(self._pods, self._places), Images()
        # What plugins know from one attempt to the next.
        self.kept: dict[str, Any] = {}

    @property
    def nodes(self) -> list[NodeInfo]:
        """Return the nodes that exist; a node of which only pods are known is not among them."""
        if self._listed is None:
            self._listed = [info for info in self._nodes.values() if info.obj]
        return self._listed

    @property
    def with_affinity(self) -> list[NodeInfo]:
        """Return those of these nodes where pods have (anti-)affinity terms."""
        if self._with_affinity is None:
            self._with_affinity = [info for info in self.nodes if info.with_affinity]
        return self._with_affinity

    def node(self, name: str) -> NodeInfo | None:
        return self._nodes.get(name)

    def set_node(self, node: Obj) -> None:
        info = self._nodes.get(name_of(node))
        if info is None:
            info = self._nodes[name_of(node)] = NodeInfo({}, name_of(node))
        self._change(info, node)

    def remove_node(self, name: str) -> None:
        info = self._nodes.get(name)
        if info is None:
            return
        self._change(info, {})  # its pods are told of one by one
        if not info.pods:
            del self._nodes[name]

    def _change(self, info: NodeInfo, node: Obj) -> None:
        """Let a node be as it is now, {} for one that is not there."""
        before, labels = info.obj, info.labels
        info.update(node)
        self.images.change(info.name, before, node)
        if labels != info.labels or not (before and node):
            self.counts.regroup()
        if not (before and node):
            self._listed = self._with_affinity = None

    def place(self, pod: PodInfo, node_name: str) -> None:
        """Let the pod stand on the node, whether it is bound there or about to be."""
        self.unnominate(pod.uid)
        self.remove(pod.uid)
        info = self._nodes.get(node_name)
        if info is None:
            info = self._nodes[node_name] = NodeInfo({}, node_name)
        info.add(pod)
        if info.with_affinity:
            self._with_affinity = None
        self._pods[pod.uid] = pod
        self._places[pod.uid] = node_name
        self.counts.change(pod, info, 1)

    def remove(self, uid: str) -> tuple[PodInfo, str] | None:
        """Take a pod off its node; return both, None if it stood on none."""
        pod, node_name = self._pods.pop(uid, None), self._places.pop(uid, None)
        if pod is None or node_name is None:
            return None
        info = self._nodes[node_name]
        self.counts.change(pod, info, -1)
        if info.with_affinity:
            self._with_affinity = None
        info.remove(uid)
        if not info.obj and not info.pods:
            del self._nodes[node_name]
        return pod, node_name

    def nominate(self, pod: PodInfo, node: str) -> None:
        """Keep room on a node for the pod that is to have it."""
        self.unnominate(pod.uid)
        self._nominated[pod.uid] = (pod, node)
        self._awaited.setdefault(node, {})[pod.uid] = pod

    def unnominate(self, uid: str) -> tuple[PodInfo, str] | None:
        found = self._nominated.pop(uid, None)
        if found is not None:
            there = self._awaited[found[1]]
            del there[uid]
            if not there:
                del self._awaited[found[1]]
        return found

    def nominated(self, uid: str) -> str:
        """Return the node on which room is kept for a pod."""
        found = self._nominated.get(uid)
        return found[1] if found is not None else ""

    @property
    def keeps_room(self) -> bool:
        """Tell whether room is kept on any node."""
        return bool(self._awaited)

    def awaited(self, node: str) -> list[PodInfo]:
        """Return the pods for which room is kept on a node."""
        return list(self._awaited.get(node, {}).values())

    def with_nominated(self, node: NodeInfo, pod: PodInfo) -> NodeInfo:
        """Return the node as it looks to a pod: with those that wait for room there before it."""
        there = self._awaited.get(node.name)
        if there is None:
            return node
        waiting = [
            other
            for uid, other in there.items()
            if uid != pod.uid and other.priority >= pod.priority
        ]
        if not waiting:
            return node
        fuller = node.copy()
        for other in waiting:
            fuller.add(other)
        return fuller

    def fork(
        self,
        changed: Mapping[str, Obj | None] | None = None,
        without: str = "",
        *,
        whole: bool = False,
    ) -> Cache:
        """Return a cache to try things out on: with other nodes (None: gone), and without a pod.

        Nodes that stay as they are, are shared, so nothing may be placed on them; unless `whole`.
        """
        changed = changed or {}
        fork = Cache()
        fork.kept = self.kept
        fork._nodes, fork.images = dict(self._nodes), self.images.copy()
        fork._pods.update(self._pods)
        fork._places.update(self._places)
        for uid, known in self._nominated.items():
            if uid != without:
                fork.nominate(*known)
        place = fork._places.get(without, "")
        for name in fork._nodes.keys() if whole else {*changed, place} & fork._nodes.keys():
            fork._nodes[name] = fork._nodes[name].copy()
        fork.remove(without)
        for name, node in changed.items():
            if node is not None:
                fork.set_node(node)
            elif info := fork._nodes.get(name):
                for uid in list(info.pods):
                    fork.remove(uid)
                fork.remove_node(name)
        return fork

    def sizes(self) -> dict[str, int]:
        """Return how many nodes and pods are known; pods that are being bound count, also alone."""
        assumed = sum(not pod.node_name for pod in self._pods.values())
        return {"nodes": len(self._nodes), "pods": len(self._places), "assumed_pods": assumed}

    def place_of(self, uid: str) -> str | None:
        return self._places.get(uid)
