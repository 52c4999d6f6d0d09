"""Gives claims their devices on a node: the first choice that fits, found by trying.

Claims, requests and devices are tried in their order; where a later request finds nothing, an
earlier one takes its next choice. The search is bounded: what takes longer does not fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from apimachinery.meta import Obj
from nodes.scheduler.devices.capacities import Amounts, needed
from nodes.scheduler.devices.lacking import Lack, lack
from nodes.scheduler.devices.pools import Device, DeviceId, Pool
from nodes.scheduler.devices.requests import (
    AllocationError,
    Request,
    devices_of,
    full_name,
    is_asked_for,
    is_repelled,
    wishes,
)
from nodes.scheduler.devices.results import Result, allocation
from nodes.scheduler.devices.taken import Part, Taken

# Choices that are tried for a pod on one node; devices of one claim.
_STEPS, MOST_DEVICES = 20_000, 32

Results = list[Result]


class _TooLong(Exception):
    """The search was given up."""


class Allocator:
    """Tries one pod's claims; made for an attempt, and asked for each node."""

    def __init__(
        self,
        claims: Sequence[Obj],
        classes: Mapping[str, Obj],
        pools: Sequence[Pool],
        taken: Iterable[Obj],
    ) -> None:
        """`taken`: the results of all allocations, but those for administrators."""
        self.claims, self._classes, self._pools = claims, classes, pools
        # A search leaves it as it was.
        self._taken = Taken.by(taken, pools)
        self._usable = {pool.id for pool in pools if pool.complete and pool.valid}
        # What a request uses of a device, None where it does not want the device.
        self._fits: dict[tuple[str, DeviceId], Amounts | None] = {}
        self._steps = 0

    def allocate(self, node: Obj, more: Sequence[Obj] = ()) -> list[Obj] | None:
        """Return an allocation for each claim, None where they cannot all have one.

        `more`: further claims on this node, which come last.

        Raises AllocationError.
        """
        claims = [*self.claims, *more]
        devices = [device for pool in self._pools for device in pool.on(node)]
        self._steps = 0
        try:
            found = next(self._claims_from(claims, devices, self._taken.copy()), None)
        except _TooLong:
            return None
        if found is None:
            return None
        return [
            allocation(claim, results, node) for claim, results in zip(claims, found, strict=True)
        ]

    def lacks(self, node: Obj, more: Sequence[Obj] = ()) -> list[Lack]:
        """Return why the claims cannot all have devices on a node. Raises AllocationError."""
        devices = [device for pool in self._pools for device in pool.on(node)]
        found = [
            lack(claim, wish, devices, self._taken, self._is_usable)
            for claim in (*self.claims, *more)
            for request in devices_of(claim).get("requests") or ()
            for wish in wishes(claim, request, self._classes)
        ]
        return [one for one in found if one is not None] or [Lack("", "", 0, 0, {})]

    def _is_usable(self, device: Device) -> bool:
        return f"{device.id.driver}/{device.id.pool}" in self._usable

    def _claims_from(
        self, claims: Sequence[Obj], devices: Sequence[Device], taken: Taken
    ) -> Iterator[list[Results]]:
        if not claims:
            yield []
            return
        for results in self._requests_from(claims[0], 0, devices, taken, []):
            for others in self._claims_from(claims[1:], devices, taken):
                yield [results, *others]

    def _requests_from(
        self, claim: Obj, at: int, devices: Sequence[Device], taken: Taken, before: Results
    ) -> Iterator[Results]:
        requests = devices_of(claim).get("requests") or ()
        if at == len(requests):
            yield list(before)
            return
        for request in wishes(claim, requests[at], self._classes):
            for chosen in self._choices(claim, request, devices, taken, before):
                results = [*before, *chosen]
                if len(results) > MOST_DEVICES:
                    continue
                parts = _parts(chosen)
                taken.take(parts)
                yield from self._requests_from(claim, at + 1, devices, taken, results)
                taken.give_back(parts)

    def _choices(
        self,
        claim: Obj,
        request: Request,
        devices: Sequence[Device],
        taken: Taken,
        before: Results,
    ) -> Iterator[Results]:
        """Yield the sets of devices that a request may get."""
        fitting = [
            Result(request, device, amounts)
            for device in devices
            if (amounts := self._amounts(claim, request, device)) is not None
        ]
        if request.asked.get("allocationMode") == "All":
            self._require_pools(claim, request)
            # What others have used up is no longer among all that there are.
            every = [one for one in fitting if self._taken.has_room(one.device, one.amounts)]
            if every and all(_is_free(one, taken) for one in every):
                yield from self._tried(claim, every, taken, before)
            return
        free = [one for one in fitting if self._is_usable(one.device) and _is_free(one, taken)]
        for chosen in combinations(free, request.asked.get("count") or 1):
            yield from self._tried(claim, list(chosen), taken, before)

    def _tried(
        self, claim: Obj, chosen: Results, taken: Taken, before: Results
    ) -> Iterator[Results]:
        self._steps += 1
        if self._steps > _STEPS:
            raise _TooLong
        devices = [one.device for one in chosen if not one.request.admin]
        if _keeps_constraints(claim, [*before, *chosen]) and taken.counters_suffice(devices):
            yield chosen

    def _require_pools(self, claim: Obj, request: Request) -> None:
        for pool in self._pools:
            state = "" if pool.complete else "being updated"
            state = state or ("" if pool.valid else "invalid")
            if state:
                raise AllocationError(
                    f"claim {full_name(claim)}, request {request.name}: asks for all devices, but "
                    f"resource pool {pool.id} is currently {state}"
                )

    def _amounts(self, claim: Obj, request: Request, device: Device) -> Amounts | None:
        """Return what a request uses of a device, None where the device is not for it."""
        key = (f"{full_name(claim)}/{request.name}", device.id)
        if key not in self._fits:
            wanted = is_asked_for(claim, request, device) and not is_repelled(request, device)
            self._fits[key] = needed(request.asked, device.obj) if wanted else None
        return self._fits[key]


def _is_free(one: Result, taken: Taken) -> bool:
    # An administrator looks at devices that others use.
    return (one.request.admin or taken.is_free(one.device)) and taken.has_room(
        one.device, one.amounts
    )


def _parts(chosen: Results) -> list[Part]:
    """Return what a choice takes from others: nothing, where an administrator looks on."""
    return [(one.device, one.amounts) for one in chosen if not one.request.admin]


def _keeps_constraints(claim: Obj, results: Results) -> bool:
    """Tell whether the devices that a constraint is about agree, or differ, in its attribute."""
    for constraint in devices_of(claim).get("constraints") or ():
        names = set(constraint.get("requests") or ())
        values = []
        same = constraint.get("matchAttribute")
        attribute = same or constraint.get("distinctAttribute") or ""
        for request, device, _ in results:
            if names and not names & {request.name, request.name.partition("/")[0]}:
                continue
            value = device.attribute(attribute)
            if value is None:
                return False
            values.append(value)
        different = len(set(values))
        if values and different != (1 if same else len(values)):
            return False
    return True
