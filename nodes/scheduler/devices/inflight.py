"""What claims are being given, and what they have: the devices that are not to be given again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apimachinery.meta import Obj, name_of, namespace_of, revision_of, uid_of
from apimachinery.resourceclaims import is_allocated
from nodes.scheduler.devices.extended import UNMADE
from nodes.scheduler.devices.podclaims import CLAIMS
from nodes.scheduler.framework import CycleState

_FLYING, _LATE = "DynamicResources", "DynamicResources/late"


@dataclass(slots=True)
class Flight:
    """An allocation on its way: until the claim is seen as it was written."""

    claim: Obj
    allocation: Obj
    # The claim's version with the allocation, 0 while that is not written.
    written: int = 0


def in_flight(state: CycleState) -> dict[str, Flight]:
    """Return the allocations that claims are being given and do not show yet, by their uids."""
    found: dict[str, Flight] = state.kept.setdefault(_FLYING, {})
    reader = state.readers[CLAIMS]
    for uid, one in list(found.items()):
        if name_of(one.claim) == UNMADE:
            continue
        now = reader.get(namespace_of(one.claim), name_of(one.claim))
        if now is None or uid_of(now) != uid or 0 < one.written <= revision_of(now):
            del found[uid]
    return found


def late(state: CycleState) -> set[str]:
    """Return the uids of claims whose devices were not made ready in time."""
    found: set[str] = state.kept.setdefault(_LATE, set())
    return found


def taken(state: CycleState) -> Iterator[Obj]:
    """Yield the results of allocations that claims have, or are being given."""
    flying = in_flight(state)
    allocations = [one.allocation for one in flying.values()]
    allocations += [
        claim["status"]["allocation"]
        for claim in state.readers[CLAIMS].list()
        if is_allocated(claim) and uid_of(claim) not in flying
    ]
    for allocation in allocations:
        for one in (allocation.get("devices") or {}).get("results") or ():
            if not one.get("adminAccess"):
                yield one
