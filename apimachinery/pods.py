"""Facts read off pods: phase, readiness, quality of service, what they ask for.

What `kubectl get pods` shows is made in `podstatus` and can be had from here as well. Nothing
changes a pod.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from apimachinery import quantity
from apimachinery.clock import parse_time
from apimachinery.meta import Obj, annotations_of, is_deleting, uid_of
from apimachinery.nodes import condition, condition_status
from apimachinery.podparts import (
    TERMINAL,
    Pod,
    all_containers,
    containers,
    init_containers,
    is_sidecar,
    phase_of,
    statuses,
)
from apimachinery.podstatus import (
    cells,
    display_status,
    readiness_gates,
    ready_ratio,
    restart_count,
    row_conditions,
)
from apimachinery.quantity import Quantity

__all__ = [
    "BEST_EFFORT", "BURSTABLE", "DELETION_COST", "GUARANTEED", "TERMINAL", "Pod", "Resources",
    "all_containers", "cells", "container_resources", "containers", "deletion_cost",
    "deletion_order", "display_status", "init_containers", "is_active", "is_available",
    "is_ready", "is_sidecar", "is_static", "is_terminal", "limits", "node_name", "phase_of",
    "qos_class", "readiness_gates", "ready_ratio", "ready_time", "requests", "restart_count",
    "row_conditions", "statuses",
]  # fmt: skip

Resources: TypeAlias = dict[str, Quantity]

GUARANTEED, BURSTABLE, BEST_EFFORT = "Guaranteed", "Burstable", "BestEffort"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def group_name(pod: Mapping[str, Any]) -> str:
    """Return the PodGroup that a pod is scheduled with, "" for none."""
    return str(((pod.get("spec") or {}).get("schedulingGroup") or {}).get("podGroupName") or "")


def node_name(pod: Pod) -> str:
    return str((pod.get("spec") or {}).get("nodeName") or "")


def is_terminal(pod: Pod) -> bool:
    """Tell whether the pod has run to its end."""
    return phase_of(pod) in TERMINAL


def is_active(pod: Pod) -> bool:
    """Tell whether the pod counts as a replica: not ended, not being deleted."""
    return phase_of(pod) not in TERMINAL and not is_deleting(pod)


def is_ready(pod: Pod) -> bool:
    return condition_status(pod, "Ready") == "True"


def ready_time(pod: Pod) -> str:
    """Return when the pod became ready, "" where it is not."""
    found = condition(pod, "Ready")
    if found is None or found.get("status") != "True":
        return ""
    return str(found.get("lastTransitionTime") or "")


def is_available(pod: Pod, min_ready_seconds: int, now: float) -> bool:
    """Tell whether the pod has been ready for long enough."""
    if not is_ready(pod):
        return False
    since = ready_time(pod)
    if min_ready_seconds == 0:
        return True
    return bool(since) and parse_time(since).timestamp() + min_ready_seconds <= now


def is_static(pod: Pod) -> bool:
    """Tell whether the pod is a kubelet's own, shown in the API as a mirror."""
    return "kubernetes.io/config.mirror" in annotations_of(pod)


# --- quality of service ----------------------------------------------------------------------


def qos_class(pod: Pod) -> str:
    """Return the class by which a pod is evicted: how its cpu and memory limits stand."""
    whole = (pod.get("spec") or {}).get("resources")
    if whole and (whole.get("requests") or whole.get("limits")):
        parts: list[Mapping[str, Any]] = [whole]
    else:
        parts = [c.get("resources") or {} for c in (*init_containers(pod), *containers(pod))]
    requests: Resources = {}
    limits: Resources = {}
    guaranteed = True
    for resources in parts:
        _add(requests, _compute(resources.get("requests")))
        found = _compute(resources.get("limits"))
        _add(limits, found)
        guaranteed = guaranteed and len(found) == 2
    if not requests and not limits:
        return BEST_EFFORT
    return GUARANTEED if guaranteed and requests == limits else BURSTABLE


def _compute(listed: Mapping[str, Any] | None) -> Resources:
    found = {name: quantity.parse((listed or {}).get(name)) for name in ("cpu", "memory")}
    return {name: amount for name, amount in found.items() if amount.nano > 0}


# --- what a pod asks for ---------------------------------------------------------------------


def requests(pod: Pod) -> Resources:
    """Return what scheduling a pod takes: containers and sidecars, or the largest init step."""
    return _total(pod, "requests")


def limits(pod: Pod) -> Resources:
    return _total(pod, "limits")


def container_resources(container: Mapping[str, Any], field: str = "requests") -> Resources:
    listed = (container.get("resources") or {}).get(field) or {}
    return {name: quantity.parse(given) for name, given in listed.items()}


def _total(pod: Pod, field: str) -> Resources:
    total: Resources = {}
    for container in containers(pod):
        _add(total, container_resources(container, field))
    largest: Resources = {}
    sidecars: Resources = {}
    for container in init_containers(pod):
        asked = container_resources(container, field)
        if is_sidecar(container):
            _add(total, asked)
            _add(sidecars, asked)
            step = sidecars
        else:
            # An init container runs beside the sidecars that were started before it.
            step = dict(sidecars)
            _add(step, asked)
        _raise_to(largest, step)
    _raise_to(total, largest)
    spec = pod.get("spec") or {}
    whole = (spec.get("resources") or {}).get(field) or {}
    total |= {name: quantity.parse(given) for name, given in whole.items()}
    overhead = {n: quantity.parse(given) for n, given in (spec.get("overhead") or {}).items()}
    if field == "limits":
        # Overhead limits nothing that was not limited before.
        overhead = {name: amount for name, amount in overhead.items() if total.get(name)}
    _add(total, overhead)
    return total


def _add(total: Resources, more: Mapping[str, Quantity]) -> None:
    for name, amount in more.items():
        total[name] = total[name] + amount if name in total else amount


def _raise_to(total: Resources, least: Mapping[str, Quantity]) -> None:
    for name, amount in least.items():
        if name not in total or total[name] < amount:
            total[name] = amount


# --- which replica goes first ----------------------------------------------------------------

_PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}


def deletion_cost(pod: Pod) -> int:
    try:
        return int(annotations_of(pod).get(DELETION_COST, "0"))
    except ValueError:
        return 0


def deletion_order(
    pods: Iterable[Obj], now: float, ranks: Mapping[str, int] | None = None
) -> list[Obj]:
    """Return pods in the order in which a controller gives replicas up.

    Not assigned, not running, not ready, cheap, crowded (`ranks`, by uid: how many related pods
    share the node), lately ready, often restarted and young ones go first.
    """
    known = ranks or {}
    magnitude = functools.cache(functools.partial(_magnitude, now=now))
    return sorted(pods, key=lambda pod: _Place(pod, known.get(uid_of(pod), 0), magnitude))


class _Place:
    """A pod's place in that order: all that is compared is read off it once."""

    __slots__ = ("_created", "_marks", "_ready", "_restarts", "_uid")

    def __init__(self, pod: Obj, rank: int, magnitude: Callable[[str], int]) -> None:
        self._marks = (
            bool(node_name(pod)),
            _PHASE_ORDER.get(phase_of(pod), 3),
            is_ready(pod),
            deletion_cost(pod),
            -rank,
        )
        ready = ready_time(pod)
        created = str((pod.get("metadata") or {}).get("creationTimestamp") or "")
        self._ready = (ready, magnitude(ready) if ready else 0)
        self._created = (created, magnitude(created) if created else 0)
        self._restarts = _most_restarts(pod)
        self._uid = uid_of(pod)

    def __lt__(self, other: _Place) -> bool:
        if self._marks != other._marks:
            return self._marks < other._marks
        younger = self._younger(self._ready, other._ready, other)
        if younger is not None:
            return younger
        if self._restarts != other._restarts:
            return self._restarts > other._restarts
        return bool(self._younger(self._created, other._created, other))

    def _younger(self, one: _Moment, another: _Moment, other: _Place) -> bool | None:
        """Compare times by the magnitude of their age, so that near ones fall to chance (the uid).

        A time that is not known is the younger one. None: they are the same.
        """
        if one[0] == another[0]:
            return None
        if not one[0] or not another[0]:
            return not one[0]
        if one[1] != another[1]:
            return one[1] < another[1]
        return self._uid < other._uid


# When, and how long ago by its magnitude.
_Moment: TypeAlias = tuple[str, int]


def _magnitude(timestamp: str, now: float) -> int:
    age = (now - parse_time(timestamp).timestamp()) * 10**9
    return int(math.log2(age)) if age > 0 else -1


def _most_restarts(pod: Obj) -> tuple[int, int]:
    sidecars = {c.get("name") for c in init_containers(pod) if is_sidecar(c)}
    regular = [s.get("restartCount") or 0 for s in statuses(pod).values()]
    beside = [
        status.get("restartCount") or 0
        for name, status in statuses(pod, "initContainerStatuses").items()
        if name in sidecars
    ]
    return max(regular, default=0), max(beside, default=0)
