"""What claims are being given, and what they have: the devices that are not to be given again."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.meta import Obj, uid_of
from apimachinery.resourceclaims import is_allocated
from nodes.scheduler.devices.podclaims import CLAIMS
from nodes.scheduler.framework import CycleState

_FLYING, _LATE = "DynamicResources", "DynamicResources/late"


def in_flight(state: CycleState) -> dict[str, tuple[str, str, Obj]]:
    """Return the allocations that are being written: uid -> namespace, name and allocation."""
    found: dict[str, tuple[str, str, Obj]] = state.kept.setdefault(_FLYING, {})
    return found


def late(state: CycleState) -> set[str]:
    """Return the uids of claims whose devices were not made ready in time."""
    found: set[str] = state.kept.setdefault(_LATE, set())
    return found


def taken(state: CycleState) -> Iterator[Obj]:
    """Yield the results of allocations that claims have, or are being given."""
    reader, flying = state.readers[CLAIMS], in_flight(state)
    allocations: list[Obj] = []
    for claim in reader.list():
        if is_allocated(claim):
            flying.pop(uid_of(claim), None)  # it is written by now
            allocations.append(claim["status"]["allocation"])
    for uid, (namespace, name, allocation) in list(flying.items()):
        claim_now = reader.get(namespace, name)
        if claim_now is None or uid_of(claim_now) != uid:
            del flying[uid]
        else:
            allocations.append(allocation)
    for allocation in allocations:
        for one in (allocation.get("devices") or {}).get("results") or ():
            if not one.get("adminAccess"):
                yield one
