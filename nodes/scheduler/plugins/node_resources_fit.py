"""NodeResourcesFit: what a pod requests must be free; emptier nodes, or fuller ones, are better."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from apimachinery.meta import Obj, name_of
from nodes.scheduler.devices.extended import class_of, stand_ins
from nodes.scheduler.devices.stock import stock
from nodes.scheduler.framework import (
    MAX_SCORE,
    SUCCESS,
    Assignment,
    Change,
    CycleState,
    Event,
    FilterPlugin,
    Hint,
    NodeScorePlugin,
    Placement,
    PlacementScorePlugin,
    Readers,
    Status,
    always,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo, amounts_of

_ALWAYS = (("cpu", 1), ("memory", 1))
# In the order of `Requests.nonzero`.
_NONZERO = ("cpu", "memory")
_CLASSES = "deviceclasses"
# A shape's scores go up to 10.
_SHAPE = 10


class NodeResourcesFit(FilterPlugin, NodeScorePlugin, PlacementScorePlugin):
    """Refuses nodes with too little left; scores by LeastAllocated, unless configured otherwise.

    Of nodes for a group those are better that are fuller together.
    """

    name = "NodeResourcesFit"

    def __init__(self) -> None:
        self._ignored: frozenset[str] = frozenset()
        self._ignored_groups: frozenset[str] = frozenset()
        self._resources: Sequence[tuple[str, int]] = _ALWAYS
        self._rate: Callable[[int, int], int] = _least
        # A resource that is used up by the pod counts for nothing, instead of as 0.
        self._leaves_zeros_out = False

    def configure(self, args: Mapping[str, Any]) -> None:
        self._ignored = frozenset(args.get("ignoredResources") or ())
        self._ignored_groups = frozenset(args.get("ignoredResourceGroups") or ())
        strategy = args["scoringStrategy"]
        self._resources = [(one["name"], one["weight"]) for one in strategy["resources"]]
        self._rate = _RATES.get(strategy["type"], _least)
        if strategy["type"] == "RequestedToCapacityRatio":
            self._rate = _by_shape(strategy["requestedToCapacityRatio"]["shape"])
            self._leaves_zeros_out = True

    def hints(self) -> Mapping[Event, Hint]:
        return {
            Event.POD_GONE: always,
            Event.POD_SCALED_DOWN: _asks_for_less,
            Event.OWN_SCALED_DOWN: always,
            Event.NODE_ADDED: self._has_room,
            Event.NODE_ALLOCATABLE: self._has_room,
            Event.DEVICE_CLASS_ADDED: _stands_for_what_it_asks,
            Event.DEVICE_CLASS_CHANGED: _stands_for_what_it_asks,
        }

    def looks_at(self, pod: PodInfo) -> Hashable:
        return pod.requests.amounts

    def _has_room(self, pod: PodInfo, change: Change, readers: Readers) -> bool:
        """Tell whether a node could hold the pod if it were empty, and has more than before."""
        now = _allocatable(change.obj)
        asked = [
            (name, amount)
            for name, amount in pod.requests.amounts
            if not self._ignores(name)
            and (now.get(name) or "/" not in name or not class_of(name, readers[_CLASSES]))
        ]
        if now.get("pods", 0) < 1 or any(amount > now.get(name, 0) for name, amount in asked):
            return False
        if change.old is None:
            return True
        before = _allocatable(change.old)
        return any(now.get(name, 0) > before.get(name, 0) for name, _ in (*asked, ("pods", 1)))

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status:
        lacking: list[str] = []
        hopeless = False
        if len(node.pods) + 1 > node.allocatable.get("pods", 0):
            lacking.append("Too many pods")
        requested, allocatable = node.requested, node.allocatable
        for name, amount in pod.requests.amounts:
            total = allocatable.get(name, 0)
            if amount > total - requested.get(name, 0) and not (
                self._ignores(name) or (not total and name in stand_ins(state, pod))
            ):
                lacking.append(f"Insufficient {name}")
                hopeless = hopeless or amount > total
        if not lacking:
            return SUCCESS
        # A request larger than the whole node: no pod's going could make room.
        return Status.unresolvable(*lacking) if hopeless else Status.unschedulable(*lacking)

    def _ignores(self, name: str) -> bool:
        group, slash, _ = name.partition("/")
        return bool(slash) and (name in self._ignored or group in self._ignored_groups)

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        if self._resources is _ALWAYS:  # as usual: asked of every node for every pod
            cpus, bytes_ = node.allocatable.get("cpu"), node.allocatable.get("memory")
            if cpus and bytes_:
                cpu, memory = pod.requests.nonzero
                return (
                    _least(node.nonzero_cpu + cpu, cpus)
                    + _least(node.nonzero_memory + memory, bytes_)
                ) // 2
        total = weights = 0
        for name, weight in self._resources:
            capacity, used = _load(state, pod, node, name)
            if not capacity:
                continue
            rated = self._rate(used, capacity)
            if rated or not self._leaves_zeros_out:
                total += rated * weight
                weights += weight
        if not weights:
            return 0
        return _rounded(total, weights) if self._leaves_zeros_out else total // weights

    def score_placement(
        self, placement: Placement, assigned: Sequence[Assignment], already: int
    ) -> int:
        total = weights = 0
        for name, weight in self._resources:
            capacity = sum(node.allocatable.get(name, 0) for node in placement.nodes)
            if capacity:
                used = sum(_used(node, name) for node in placement.nodes)
                used += sum(_asked(one.pod, name) for one in assigned)
                total += _most(used, capacity) * weight
                weights += weight
        return total // weights if weights else 0


def _load(state: CycleState, pod: PodInfo, node: NodeInfo, name: str) -> tuple[int, int]:
    """Return how much a node has of a resource, and how much is used with the pod there.

    Where a node has none of it, devices count that stand for it.
    """
    asked = _asked(pod, name)
    if not asked and "/" in name:
        return 0, 0  # an extended resource matters to those alone that ask for it
    capacity, used = node.allocatable.get(name, 0), _used(node, name)
    if not capacity and "/" in name:
        capacity, used = stock(state, pod, node, name)
    return capacity, used + asked


def _used(node: NodeInfo, name: str) -> int:
    if name == "cpu":
        return node.nonzero_cpu
    return node.nonzero_memory if name == "memory" else node.requested.get(name, 0)


def _asked(pod: PodInfo, name: str) -> int:
    if name in _NONZERO:
        return pod.requests.nonzero[_NONZERO.index(name)]
    return dict(pod.requests.amounts).get(name, 0)


def _stands_for_what_it_asks(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether devices of a class stand for a resource that the pod asks for."""
    classes = readers[_CLASSES]
    return any(
        "/" in name and class_of(name, classes) == name_of(change.obj)
        for name, _ in pod.requests.amounts
    )


def _asks_for_less(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Tell whether another pod asks for less of something that this one asks for."""
    before = dict(PodInfo.of(change.old or {}).requests.amounts)
    now = dict(PodInfo.of(change.obj).requests.amounts)
    return any(now.get(name, 0) < before.get(name, 0) for name, _ in pod.requests.amounts)


def _allocatable(node: Obj) -> dict[str, int]:
    return amounts_of((node.get("status") or {}).get("allocatable"))


def _least(used: int, capacity: int) -> int:
    return 0 if used > capacity else (capacity - used) * MAX_SCORE // capacity


def _most(used: int, capacity: int) -> int:
    return min(used, capacity) * MAX_SCORE // capacity


_RATES = {"LeastAllocated": _least, "MostAllocated": _most}


def _rounded(total: int, by: int) -> int:
    """Divide as math.Round does: halves go up."""
    return (2 * total + by) // (2 * by)


def _by_shape(points: Sequence[Mapping[str, int]]) -> Callable[[int, int], int]:
    """Return the broken line through points of utilization and score (0 to 10)."""
    line = [
        (one.get("utilization") or 0, (one.get("score") or 0) * MAX_SCORE // _SHAPE)
        for one in points
    ]

    def rate(used: int, capacity: int) -> int:
        percent = 100 if used > capacity else used * 100 // capacity
        if percent <= line[0][0]:
            return line[0][1]
        for (left, low), (right, high) in pairwise(line):
            if percent <= right:
                # Go's division goes towards zero, also downhill.
                return low + int((high - low) * (percent - left) / (right - left))
        return line[-1][1]

    return rate
