"""The cluster as the scheduler sees it, kept up by events and by what it has assumed itself.

A pod that is being bound counts on its node at once: the next pod must not get the same room.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from apimachinery.meta import Obj, name_of
from nodes.scheduler.company import Company
from nodes.scheduler.framework import CycleState, PodCounts, Reader
from nodes.scheduler.images import Images
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.tally import Labels, Tally, Where, Who

# Kinds of pods to keep counts of: one a Deployment, and as many as are being scheduled.
_KINDS = 256


class Counts(PodCounts):
    """Pods of the kinds that were asked about last: asked again it costs a look-up, not a count."""

    def __init__(self, pods: dict[str, PodInfo], places: dict[str, str]) -> None:
        self._pods, self._places = pods, places
        self._known: OrderedDict[Who, Tally] = OrderedDict()

    def by_node(self, who: Who) -> Mapping[str, int]:
        return self._tally(who).by_node

    def by_part(self, nodes: Sequence[NodeInfo], who: Who, where: Where) -> Mapping[str, int]:
        return self._tally(who).by_part(nodes, where)

    def change(self, pod: PodInfo, node: NodeInfo, by: int) -> None:
        """Count a pod that came to a node, or went."""
        for who, tally in self._known.items():
            if who.matches(pod):
                tally.add(node, by)

    def regroup(self) -> None:
        """Take note that nodes came, went or have other labels or taints."""
        for tally in self._known.values():
            tally.regroup()

    def _tally(self, who: Who) -> Tally:
        tally = self._known.get(who)
        if tally is not None:
            self._known.move_to_end(who)
            return tally
        tally = self._known[who] = Tally()
        for uid, node in self._places.items():
            if who.matches(self._pods[uid]):
                tally.by_node[node] = tally.by_node.get(node, 0) + 1
        if len(self._known) > _KINDS:
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
        self.counts, self.images = Counts(self._pods, self._places), Images()
        self.company, self.labels = Company(), Labels()
        # What plugins know from one attempt to the next.
        self.kept: dict[str, Any] = {}

    @property
    def nodes(self) -> list[NodeInfo]:
        """Return the nodes that exist; a node of which only pods are known is not among them."""
        if self._listed is None:
            self._listed = [info for info in self._nodes.values() if info.obj]
        return self._listed

    def state(self, readers: dict[str, Reader]) -> CycleState:
        """Return what an attempt at a pod begins with."""
        return CycleState(
            self.nodes,
            self.counts,
            readers,
            kept=self.kept,
            images=self.images,
            company=self.company,
            labels=self.labels,
            place_of=self.place_of,
        )

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
        before, labels, taints = info.obj, info.labels, info.taints
        info.update(node)
        self.images.change(info.name, before, node)
        if not (before and node):
            self._listed = None
        elif labels == info.labels and taints == info.taints:
            return
        self.counts.regroup()
        self.company.regroup()
        self.labels.regroup()

    def place(self, pod: PodInfo, node_name: str) -> None:
        """Let the pod stand on the node, whether it is bound there or about to be."""
        self.unnominate(pod.uid)
        self.remove(pod.uid)
        info = self._nodes.get(node_name)
        if info is None:
            info = self._nodes[node_name] = NodeInfo({}, node_name)
        info.add(pod)
        self._pods[pod.uid] = pod
        self._places[pod.uid] = node_name
        self.counts.change(pod, info, 1)
        self.company.change(pod, info, 1)

    def remove(self, uid: str) -> tuple[PodInfo, str] | None:
        """Take a pod off its node; return both, None if it stood on none."""
        pod, node_name = self._pods.pop(uid, None), self._places.pop(uid, None)
        if pod is None or node_name is None:
            return None
        info = self._nodes[node_name]
        self.counts.change(pod, info, -1)
        self.company.change(pod, info, -1)
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
        fork._nodes = dict(self._nodes)
        fork.images = self.images.copy() if changed else self.images
        fork._pods.update(self._pods)
        fork._places.update(self._places)
        for uid, known in self._nominated.items():
            if uid != without:
                fork.nominate(*known)
        place = fork._places.get(without, "")
        for name in fork._nodes.keys() if whole else {*changed, place} & fork._nodes.keys():
            fork._nodes[name] = fork._nodes[name].copy()
        fork.company = Company(fork._nodes.values())
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
