"""Who gets how many: a change of the wanted number, divided among ReplicaSets in mid-roll.

While a roll is under way every ReplicaSet grows or shrinks in proportion, so that a bad
template does not get a greater share by somebody's scaling.
"""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.meta import Obj, name_of
from apimachinery.workloads import (
    MAX_REPLICAS,
    desired_replicas,
    status_of,
)
from nodes.controllers.deployment import facts


def only_active_or_latest(newest: Obj | None, old: Sequence[Obj]) -> Obj | None:
    """Return the one ReplicaSet that counts; None if several do."""
    every = [*old, newest] if newest is not None else list(old)
    active = facts.active(every)
    if len(active) > 1 or not every:
        return None
    if active:
        return active[0]
    return newest if newest is not None else facts.oldest_first(old)[-1]


def proportional(deployment: Obj, active: Sequence[Obj]) -> list[tuple[Obj, int]]:
    """Return each ReplicaSet with its new size, the largest first."""
    wanted = desired_replicas(deployment)
    surge, _ = facts.surge_and_unavailable(deployment)
    allowed = wanted + surge if wanted > 0 else 0
    to_add = allowed - facts.total(active)
    ordered = _by_size(active, newer_first=to_add > 0)
    sizes: dict[str, int] = {}
    added = 0
    for one in ordered:
        share = _share(deployment, one, to_add, added) if to_add else 0
        sizes[name_of(one)] = desired_replicas(one) + share
        added += share
    if ordered and to_add:
        # What rounding has left over goes to the largest.
        largest = name_of(ordered[0])
        sizes[largest] = max(sizes[largest] + to_add - added, 0)
    return [(one, sizes[name_of(one)]) for one in ordered]


def _by_size(replicasets: Sequence[Obj], *, newer_first: bool) -> list[Obj]:
    by_age = facts.oldest_first(replicasets)
    if newer_first:
        by_age.reverse()
    return sorted(by_age, key=desired_replicas, reverse=True)


def _share(deployment: Obj, replicaset: Obj, to_add: int, added: int) -> int:
    if desired_replicas(replicaset) == 0 or to_add == added:
        return 0
    fraction, left = _fraction(deployment, replicaset), to_add - added
    return min(fraction, left) if to_add > 0 else max(fraction, left)


def _fraction(deployment: Obj, replicaset: Obj) -> int:
    """Return by how much a ReplicaSet changes so that its share of the whole stays the same."""
    wanted, present = desired_replicas(deployment), desired_replicas(replicaset)
    if wanted == 0:
        return -present
    surge, _ = facts.surge_and_unavailable(deployment)
    before = facts.annotated_count(replicaset, MAX_REPLICAS) or status_of(deployment, "replicas")
    if not before:
        return 0
    # Half a pod is a pod.
    return int(present * (wanted + surge) / before + 0.5) - present
