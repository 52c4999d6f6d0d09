"""Whom a kubelet ends to make room for a critical pod: pure, by pkg/kubelet/preemption.

Best effort pods go before burstable ones, these before guaranteed ones; of each class as few as
will do, and of equals those that ask for less. Priorities say only who may be ended at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from apimachinery import pods
from apimachinery.meta import Obj
from nodes.kubelet.admission import Asks, is_critical


class Candidate(Protocol):
    @property
    def pod(self) -> Obj: ...

    @property
    def asks(self) -> Asks: ...


C = TypeVar("C", bound=Candidate)

# What is missing: the amount of each resource.
Needs = Mapping[str, int]


class NoRoomError(Exception):
    """Not even all that may be ended hold as much."""

    def __init__(self, left: Needs) -> None:
        listed = "".join(f"(res: {name}, q: {amount}), " for name, amount in left.items())
        super().__init__(f"no set of running pods found to reclaim resources: [{listed}]")


def victims(pod: Obj, candidates: Iterable[C], needs: Needs) -> list[C]:
    """Return whom to end so that as much becomes free. Raises NoRoomError."""
    classes: dict[str, list[C]] = {pods.BEST_EFFORT: [], pods.BURSTABLE: [], pods.GUARANTEED: []}
    for one in candidates:
        if may_preempt(pod, one.pod):
            classes[_qos(one.pod)].append(one)
    weak, middling, strong = classes.values()
    if left := _less(needs, [*weak, *middling, *strong]):
        raise NoRoomError(left)
    # Of the strong only what all others cannot give, of the others what is missing then.
    gone = _fewest(strong, _less(needs, [*weak, *middling]))
    ended = _fewest(middling, _less(needs, [*weak, *gone]))
    return [*_fewest(weak, _less(needs, [*ended, *gone])), *ended, *gone]


def may_preempt(pod: Obj, other: Obj) -> bool:
    """Tell whether a pod may have another one ended."""
    if is_critical(pod) and not is_critical(other):
        return True
    mine, its = (one["spec"].get("priority") for one in (pod, other))
    return mine is not None and its is not None and mine > its


def _fewest(candidates: Sequence[C], needs: Needs) -> list[C]:
    """Return those that together hold what is needed, whoever comes nearest to it first."""
    left, chosen = list(candidates), []
    while needs:
        if not left:
            raise NoRoomError(needs)
        best = 0
        for index in range(1, len(left)):
            apart, least = _distance(needs, left[index]), _distance(needs, left[best])
            if apart < least or (apart == least and _asks_no_more(left[index], left[best])):
                best = index
        chosen.append(left[best])
        needs = _less(needs, [left[best]])
        left[best] = left[-1]
        left.pop()
    return chosen


def _distance(needs: Needs, one: Candidate) -> float:
    """Return how much would still be missing: each resource counts by its missing share."""
    missing = ((max(amount - _asks(one, name), 0), amount) for name, amount in needs.items())
    return float(sum((short / amount) ** 2 for short, amount in missing))


def _less(needs: Needs, given: Iterable[Candidate]) -> dict[str, int]:
    """Return what is missing once these have gone."""
    left = {}
    every = list(given)
    for name, amount in needs.items():
        rest = amount - sum(_asks(one, name) for one in every)
        if rest > 0:
            left[name] = rest
    return left


def _asks(one: Candidate, name: str) -> int:
    return 1 if name == "pods" else one.asks.amounts.get(name, 0)


def _asks_no_more(one: Candidate, other: Candidate) -> bool:
    mine, its = ([_asks(who, name) for name in ("memory", "cpu")] for who in (one, other))
    return mine <= its


def _qos(pod: Obj) -> str:
    return (pod.get("status") or {}).get("qosClass") or pods.qos_class(pod)
