"""What workload controllers read off pods: who counts, who is available, who goes first."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cmp_to_key

from apimachinery.clock import parse_time
from apimachinery.meta import Obj, annotations_of, is_deleting, uid_of
from nodes.controllers.common.conditions import find

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
_ENDED = ("Succeeded", "Failed")


def phase(pod: Obj) -> str:
    return str((pod.get("status") or {}).get("phase") or "")


def has_ended(pod: Obj) -> bool:
    return phase(pod) in _ENDED


def is_active(pod: Obj) -> bool:
    """Tell whether the pod counts as a replica: neither ended nor being deleted."""
    return not has_ended(pod) and not is_deleting(pod)


def is_terminating(pod: Obj) -> bool:
    return is_deleting(pod) and not has_ended(pod)


def ready_since(pod: Obj) -> str | None:
    """Return the time since when the pod is ready, None if it is not ready."""
    found = find((pod.get("status") or {}).get("conditions"), "Ready")
    if found is None or found.get("status") != "True":
        return None
    return str(found.get("lastTransitionTime") or "")


def is_ready(pod: Obj) -> bool:
    return ready_since(pod) is not None


def available_in(pod: Obj, min_ready: int, now: float) -> float | None:
    """Return in how many seconds a pod is available: 0 if it is, None if it is not ready."""
    since = ready_since(pod)
    if since is None:
        return None
    if not min_ready:
        return 0.0
    return max(parse_time(since).timestamp() + min_ready - now, 0.0) if since else None


def restarts(pod: Obj) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return max((int(one.get("restartCount") or 0) for one in statuses), default=0)


def deletion_order(pods: Sequence[Obj], related: Sequence[Obj], now: float) -> list[Obj]:
    """Sort pods so that those come first whose deletion costs least.

    Unassigned before assigned, pending before running, not ready before ready, cheap before dear,
    crowded nodes first, then the newest: in powers of two of their age, so that among pods of
    about one age chance (their uid) decides. `related` are the pods that crowd a node.
    """
    crowd = Counter(pod["spec"].get("nodeName") for pod in related if is_active(pod))

    def compare(one: Obj, other: Obj) -> int:
        first, second = _rank(one, crowd), _rank(other, crowd)
        if first != second:
            return -1 if first < second else 1
        return _by_age(one, other, now)

    return sorted(pods, key=cmp_to_key(compare))


def _rank(pod: Obj, crowd: Counter[str]) -> tuple[int, int, bool, int, int]:
    node = pod["spec"].get("nodeName") or ""
    try:
        cost = int(annotations_of(pod).get(DELETION_COST, "0"))
    except ValueError:
        cost = 0
    order = _PHASES.get(phase(pod), 0)
    return (1 if node else 0, order, is_ready(pod), cost, -crowd[node] if node else 0)


def _by_age(one: Obj, other: Obj, now: float) -> int:
    ready, other_ready = ready_since(one), ready_since(other)
    if ready and other_ready and ready != other_ready:
        return _newest_first(ready, other_ready, one, other, now)
    if (difference := restarts(other) - restarts(one)) != 0:
        return difference
    made, other_made = (pod["metadata"].get("creationTimestamp", "") for pod in (one, other))
    if made and other_made and made != other_made:
        return _newest_first(made, other_made, one, other, now)
    return _by_uid(one, other)


def _newest_first(first: str, second: str, one: Obj, other: Obj, now: float) -> int:
    difference = _magnitude(first, now) - _magnitude(second, now)
    return difference or _by_uid(one, other)


def _magnitude(since: str, now: float) -> int:
    age = now - parse_time(since).timestamp()
    return -1 if age <= 0 else int(math.log2(age * 1e9))


def _by_uid(one: Obj, other: Obj) -> int:
    return -1 if uid_of(one) < uid_of(other) else int(uid_of(one) > uid_of(other))
