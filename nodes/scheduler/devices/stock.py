"""How many devices of a class a node has, and how many of them are in use: what scores go by.

Counted as kube-scheduler does it: every slice counts that there is, also one of an older
generation, and a device that several claims share is in use as soon as one has a part of it.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from apimachinery.meta import Obj
from nodes.scheduler.devices.extended import stand_ins
from nodes.scheduler.devices.inflight import taken
from nodes.scheduler.devices.pools import DeviceId, devices_on
from nodes.scheduler.devices.requests import AllocationError, is_of_class
from nodes.scheduler.framework import CycleState
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo

_KEPT = "stock of devices"
_NOTHING = (0, 0)


@dataclass(slots=True)
class _Stock:
    """What there is in an attempt."""

    slices: list[Obj]
    used: AbstractSet[DeviceId]
    # By class and node.
    counted: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)


def stock(state: CycleState, pod: PodInfo, node: NodeInfo, resource: str) -> tuple[int, int]:
    """Return how many devices a node has for a resource that a pod asks for, and how many are used.

    Nothing where the node has the resource itself, or where no class stands for it.
    """
    name = "" if node.allocatable.get(resource) else stand_ins(state, pod).get(resource, "")
    device_class = state.readers["deviceclasses"].get("", name) if name else None
    if device_class is None:
        return _NOTHING
    kept: _Stock | None = state.data.get(_KEPT)
    if kept is None:
        used = {DeviceId(one["driver"], one["pool"], one["device"]) for one in taken(state)}
        kept = state.data[_KEPT] = _Stock(state.readers["resourceslices"].list(), used)
    key = name, node.name
    if key not in kept.counted:
        kept.counted[key] = _count(kept, device_class, node)
    return kept.counted[key]


def _count(kept: _Stock, device_class: Obj, node: NodeInfo) -> tuple[int, int]:
    there = [device for one in kept.slices for device in devices_on(one, node.obj)]
    try:
        of_class = [one.id for one in there if is_of_class(device_class, one)]
    except AllocationError:
        return _NOTHING
    return len(of_class), sum(1 for id_ in of_class if id_ in kept.used)
