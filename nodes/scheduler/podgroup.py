"""What a PodGroup object says: how many of it are needed, where they may be, how it may go."""

from __future__ import annotations

from typing import NamedTuple

from apimachinery.meta import Obj

Key = tuple[str, str]  # namespace and name


class GroupFeatures(NamedTuple):
    """What of scheduling by groups is on: GangScheduling, WorkloadAwarePreemption,
    TopologyAwareWorkloadScheduling.
    """

    gangs: bool = True
    preemption: bool = False
    topology: bool = False


def needed(group: Obj) -> int:
    """Return how many pods of a group have to have nodes at once: of a gang minCount, else one."""
    policy = _spec(group).get("schedulingPolicy") or {}
    gang = policy.get("gang")
    return int(gang.get("minCount") or 0) if gang else 1


def priority_of(group: Obj) -> int:
    """Return how important a group is as a whole."""
    return int(_spec(group).get("priority") or 0)


def goes_as_one(group: Obj) -> bool:
    """Tell whether all pods of a group are sent away, or none."""
    return bool(_spec(group).get("disruptionMode") == "PodGroup")


def is_constrained(group: Obj) -> bool:
    """Tell whether it is said at all where its pods may be."""
    return _spec(group).get("schedulingConstraints") is not None


def topology_key(group: Obj) -> str:
    """Return the node label of which all pods of a group have to have one value; "" for none."""
    constraints = _spec(group).get("schedulingConstraints") or {}
    return next((one["key"] for one in constraints.get("topology") or ()), "")


def _spec(group: Obj) -> Obj:
    found: Obj = group.get("spec") or {}
    return found
