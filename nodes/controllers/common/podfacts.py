"""What workload controllers ask of pods beyond apimachinery.pods: when available, who goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from apimachinery import pods as facts
from apimachinery.clock import parse_time
from apimachinery.meta import Obj, is_deleting, uid_of


def is_terminating(pod: Obj) -> bool:
    """Tell whether the pod still runs and is to stop."""
    return is_deleting(pod) and not facts.is_terminal(pod)


def available_in(pod: Obj, min_ready: int, now: float) -> float | None:
    """Return in how many seconds a pod is available: 0 if it is, None if it is not ready."""
    if not facts.is_ready(pod):
        return None
    return left_to_wait(facts.ready_time(pod), min_ready, now)


def left_to_wait(since: str, min_ready: int, now: float) -> float | None:
    """Return in how many seconds what is ready since then is available, None: not known."""
    if not min_ready:
        return 0.0
    return max(parse_time(since).timestamp() + min_ready - now, 0.0) if since else None


def deletion_order(pods: Sequence[Obj], related: Sequence[Obj], now: float) -> list[Obj]:
    """Sort pods so that those come first that are missed least; `related` crowd their nodes."""
    crowd = Counter(facts.node_name(pod) for pod in related if facts.is_active(pod))
    ranks = {uid_of(pod): crowd[node] for pod in pods if (node := facts.node_name(pod))}
    return facts.deletion_order(pods, now, ranks)
