"""Why a node's devices do not do for a pod's claims: how many are no good, for which reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from apimachinery.meta import Obj, name_of
from nodes.scheduler.devices.capacities import needed
from nodes.scheduler.devices.pools import Device
from nodes.scheduler.devices.requests import Request, is_asked_for, is_repelled
from nodes.scheduler.devices.taken import Taken

# Reasons, in the order in which they are looked for.
UNFINISHED, UNSELECTED, TAINTED = "unfinished", "unselected", "tainted"
SMALL, TAKEN, FULL, COUNTERS = "small", "taken", "full", "counters"


class Lack(NamedTuple):
    """A request for which too few devices are free; `request` is "" where all have enough alone."""

    claim: str
    request: str
    asked: int
    free: int
    why: dict[str, int]


def lack(
    claim: Obj,
    request: Request,
    devices: Iterable[Device],
    taken: Taken,
    usable: Callable[[Device], bool],
) -> Lack | None:
    """Return what a request lacks, None where enough devices are free for it alone."""
    found = Counter(_reason(claim, request, one, taken, usable) for one in devices)
    free = found.pop("", 0)
    asked = int(request.asked.get("count") or 1)
    if request.asked.get("allocationMode") == "All":
        asked = max(1, free + sum(found[why] for why in (TAKEN, FULL, COUNTERS)))
    if free >= asked:
        return None
    return Lack(name_of(claim), request.name, asked, free, dict(found))


def _reason(
    claim: Obj, request: Request, device: Device, taken: Taken, usable: Callable[[Device], bool]
) -> str:
    """Return what is wrong with a device, "" where nothing is."""
    if not usable(device):
        return UNFINISHED
    if not is_asked_for(claim, request, device):
        return UNSELECTED
    if is_repelled(request, device):
        return TAINTED
    amounts = needed(request.asked, device.obj)
    if amounts is None:
        return SMALL
    if not (request.admin or taken.is_free(device)):
        return TAKEN
    if not taken.has_room(device, amounts):
        return FULL
    return "" if request.admin or taken.counters_suffice((device,)) else COUNTERS
