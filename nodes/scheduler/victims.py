"""Pods that may have to make room for others: how important each is, and whose budget it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from apimachinery.labels import EVERYTHING, from_label_selector
from apimachinery.meta import Obj, uid_of
from nodes.scheduler.framework import Reader
from nodes.scheduler.podinfo import PodInfo

# A pod that has not started counts as one that starts now, later than all that have.
_NOT_YET = "9999"


def as_it_is(pods: Reader, pod: PodInfo) -> Obj:
    """Return a pod as it is by now: the scheduler's cache does not follow its status."""
    found = pods.get(pod.namespace, pod.name)
    return found if found and uid_of(found) == pod.uid else pod.obj


def started(pod: Obj) -> str:
    """Return since when a pod has run, as a stamp that can be compared."""
    return (pod.get("status") or {}).get("startTime") or _NOT_YET


def by_importance(pods: Iterable[PodInfo], now: Callable[[PodInfo], Obj]) -> list[PodInfo]:
    """Sort the most important first: by priority, then by how long a pod has run.

    `now` returns a pod as it is by now.
    """
    return sorted(pods, key=lambda pod: (-pod.priority, started(now(pod))))


def breaking(pods: Sequence[PodInfo], budgets: Iterable[Obj]) -> set[str]:
    """Return the uids of those whose going, after that of those before them, breaks a budget."""
    those = list(budgets)
    left = [(one.get("status") or {}).get("disruptionsAllowed") or 0 for one in those]
    found = set()
    for pod in pods:
        for at, budget in enumerate(those):
            if _covers(budget, pod):
                left[at] -= 1
                if left[at] < 0:
                    found.add(pod.uid)
    return found


def _covers(budget: Obj, pod: PodInfo) -> bool:
    """Tell whether a pod counts in a budget; for preemption one of all pods counts none."""
    selector = (budget.get("spec") or {}).get("selector")
    if not pod.labels or budget["metadata"].get("namespace") != pod.namespace:
        return False
    disrupted = (budget.get("status") or {}).get("disruptedPods") or {}
    if pod.name in disrupted:
        return False
    meant = from_label_selector(selector)
    return meant is not EVERYTHING and meant.matches(pod.labels)
