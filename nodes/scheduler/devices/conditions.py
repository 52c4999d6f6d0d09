"""Devices that have to be made ready on a node before a pod may be bound there.

Such a device names the conditions that its driver will set in the status of the claim once it is
ready, or has failed.
"""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery.gotext import quoted
from apimachinery.meta import Obj, name_of
from apimachinery.resourceclaims import is_allocated
from nodes.scheduler.devices.pools import Pool

GOOD, BAD = "bindingConditions", "bindingFailureConditions"


class NotBound(Exception):
    """A device cannot be made ready."""


def waits(claim: Obj) -> bool:
    """Tell whether a claim has devices that have to be made ready."""
    return any(one.get(GOOD) for one in _results(claim))


def is_ready(claim: Obj) -> bool:
    """Tell whether a claim has its devices, and all of them are ready.

    Raises NotBound in kube-scheduler's words.
    """
    if not is_allocated(claim):
        return False
    known = {_id(one): one for one in (claim.get("status") or {}).get("devices") or ()}
    for result in _results(claim):
        if not result.get(GOOD):
            continue
        found = known.get(_id(result))
        if found is None:
            return False
        true = {
            one["type"]: one for one in found.get("conditions") or () if one.get("status") == "True"
        }
        for failed in (true[one] for one in result.get(BAD) or () if one in true):
            why = f"reason={failed.get('reason', '')}, message={quoted(failed.get('message', ''))}"
            raise NotBound(f"claim {name_of(claim)} binding failed: {why}")
        if not true.keys() >= set(result[GOOD]):
            return False
    return True


def fails(claim: Obj) -> bool:
    """Tell whether a device of a claim could not be made ready."""
    try:
        is_ready(claim)
    except NotBound:
        return True
    return False


def has_to_make_ready(pool: Pool) -> bool:
    """Tell whether devices of a pool have to be made ready: others are taken first."""
    devices = (one["spec"].get("devices") or () for one in pool.slices)
    return any(device.get(GOOD) for those in devices for device in those)


def _results(claim: Obj) -> Iterable[Obj]:
    allocation = (claim.get("status") or {}).get("allocation") or {}
    found: list[Obj] = (allocation.get("devices") or {}).get("results") or []
    return found


def _id(device: Obj) -> tuple[str, str, str, str | None]:
    return device["driver"], device["pool"], device["device"], device.get("shareID")
