"""Gives claims their devices on a node: the first choice that fits, found by trying.

Claims, requests and devices are tried in their order; where a later request finds nothing, an
earlier one takes its next choice. The search is bounded: what takes longer does not fit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from apimachinery.cel.devices import compile_selector
from apimachinery.cel.errors import CostExceeded, EvalError
from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.nodes import tolerates
from apimachinery.quantity import parse
from nodes.scheduler.devices.conditions import BAD, GOOD
from nodes.scheduler.devices.pools import Device, DeviceId, Pool

# Choices that are tried for a pod on one node; devices of one claim.
_STEPS, MOST_DEVICES = 20_000, 32
_HARD = ("NoSchedule", "NoExecute")


class AllocationError(Exception):
    """Something about a claim, its class or a pool is wrong: no node can be judged."""


class _TooLong(Exception):
    """The search was given up."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a claim, or one of the alternatives of one: REQUEST/SUBREQUEST."""

    name: str
    asked: Obj
    device_class: Obj

    @property
    def admin(self) -> bool:
        return bool(self.asked.get("adminAccess"))

    @property
    def selectors(self) -> list[Obj]:
        of_class = (self.device_class.get("spec") or {}).get("selectors") or []
        return [*of_class, *(self.asked.get("selectors") or ())]


@dataclass(slots=True)
class _Taken:
    """What is taken: devices that are somebody's, and what they use of shared counters."""

    devices: set[DeviceId]
    counters: Counter[tuple[str, str, str, str]]


Results = list[tuple[Request, Device]]


class Allocator:
    """Tries one pod's claims; made for an attempt, and asked for each node."""

    def __init__(
        self,
        claims: Sequence[Obj],
        classes: Mapping[str, Obj],
        pools: Sequence[Pool],
        taken: Iterable[DeviceId],
    ) -> None:
        self.claims, self._classes, self._pools = claims, classes, pools
        self._taken = frozenset(taken)
        self._limits = {
            (pool.driver, pool.name, *key): limit
            for pool in pools
            for key, limit in pool.counters().items()
        }
        self._usable = {pool.id for pool in pools if pool.complete and pool.valid}
        self._used: Counter[tuple[str, str, str, str]] = Counter()
        for pool in pools:
            for one in pool.slices:
                for device in one["spec"].get("devices") or ():
                    id_ = DeviceId(pool.driver, pool.name, device["name"])
                    if id_ in self._taken:
                        self._used.update(_consumed(id_, device))
        self._fits: dict[tuple[str, DeviceId], bool] = {}
        self._steps = 0

    def allocate(self, node: Obj) -> list[Obj] | None:
        """Return an allocation for each claim, None where they cannot all have one.

        Raises AllocationError.
        """
        devices = [device for pool in self._pools for device in pool.on(node)]
        taken = _Taken(set(self._taken), Counter(self._used))
        self._steps = 0
        try:
            found = next(self._claims_from(0, devices, taken), None)
        except _TooLong:
            return None
        if found is None:
            return None
        return [
            self._allocation(claim, results, node)
            for claim, results in zip(self.claims, found, strict=True)
        ]

    def _claims_from(
        self, at: int, devices: Sequence[Device], taken: _Taken
    ) -> Iterator[list[Results]]:
        if at == len(self.claims):
            yield []
            return
        claim = self.claims[at]
        for results in self._requests_from(claim, 0, devices, taken, []):
            for others in self._claims_from(at + 1, devices, taken):
                yield [results, *others]

    def _requests_from(
        self, claim: Obj, at: int, devices: Sequence[Device], taken: _Taken, before: Results
    ) -> Iterator[Results]:
        requests = _spec(claim).get("requests") or ()
        if at == len(requests):
            yield list(before)
            return
        for request in self._alternatives(claim, requests[at]):
            for chosen in self._choices(claim, request, devices, taken, before):
                results = [*before, *((request, device) for device in chosen)]
                if len(results) > MOST_DEVICES:
                    continue
                self._take(request, chosen, taken)
                yield from self._requests_from(claim, at + 1, devices, taken, results)
                self._give_back(request, chosen, taken)

    def _alternatives(self, claim: Obj, request: Obj) -> Iterator[Request]:
        """Yield what a request asks for: itself, or one of several, the best first."""
        if exactly := request.get("exactly"):
            yield self._request(claim, request["name"], exactly)
            return
        for one in request.get("firstAvailable") or ():
            yield self._request(claim, f"{request['name']}/{one['name']}", one)

    def _request(self, claim: Obj, name: str, asked: Obj) -> Request:
        class_name = asked.get("deviceClassName") or ""
        found = self._classes.get(class_name)
        if found is None:
            raise AllocationError(
                f"claim {_full_name(claim)}, request {name}: could not retrieve device class "
                f'{class_name}: deviceclass.resource.k8s.io "{class_name}" not found'
            )
        return Request(name, asked, found)

    def _choices(
        self,
        claim: Obj,
        request: Request,
        devices: Sequence[Device],
        taken: _Taken,
        before: Results,
    ) -> Iterator[tuple[Device, ...]]:
        """Yield the sets of devices that a request may get."""
        fitting = (device for device in devices if self._selected(claim, request, device))
        if request.asked.get("allocationMode") == "All":
            self._require_pools(claim, request)
            every = tuple(fitting)
            if every and all(self._free(request, one, taken) for one in every):
                yield from self._tried(claim, request, every, taken, before)
            return
        free = [
            device
            for device in fitting
            if f"{device.id.driver}/{device.id.pool}" in self._usable
            and self._free(request, device, taken)
        ]
        for chosen in combinations(free, request.asked.get("count") or 1):
            yield from self._tried(claim, request, chosen, taken, before)

    def _tried(
        self,
        claim: Obj,
        request: Request,
        chosen: tuple[Device, ...],
        taken: _Taken,
        before: Results,
    ) -> Iterator[tuple[Device, ...]]:
        self._steps += 1
        if self._steps > _STEPS:
            raise _TooLong
        results = [*before, *((request, device) for device in chosen)]
        if _keeps_constraints(claim, results) and self._counters_suffice(request, chosen, taken):
            yield chosen

    def _require_pools(self, claim: Obj, request: Request) -> None:
        for pool in self._pools:
            state = "" if pool.complete else "being updated"
            state = state or ("" if pool.valid else "invalid")
            if state:
                raise AllocationError(
                    f"claim {_full_name(claim)}, request {request.name}: asks for all devices, but "
                    f"resource pool {pool.id} is currently {state}"
                )

    def _free(self, request: Request, device: Device, taken: _Taken) -> bool:
        # An administrator looks at devices that others use.
        return request.admin or device.id not in taken.devices

    def _selected(self, claim: Obj, request: Request, device: Device) -> bool:
        key = (f"{_full_name(claim)}/{request.name}", device.id)
        known = self._fits.get(key)
        if known is None:
            known = self._fits[key] = all(
                _matches(claim, request, one, device) for one in request.selectors
            ) and not _repelled(request, device)
        return known

    def _counters_suffice(self, request: Request, chosen: Sequence[Device], taken: _Taken) -> bool:
        if request.admin:
            return True
        wanted: Counter[tuple[str, str, str, str]] = Counter()
        for device in chosen:
            wanted.update(_consumed(device.id, device.obj))
        return all(
            taken.counters[key] + amount <= self._limits.get(key, 0)
            for key, amount in wanted.items()
        )

    def _take(self, request: Request, chosen: Sequence[Device], taken: _Taken) -> None:
        if not request.admin:
            for device in chosen:
                taken.devices.add(device.id)
                taken.counters.update(_consumed(device.id, device.obj))

    def _give_back(self, request: Request, chosen: Sequence[Device], taken: _Taken) -> None:
        if not request.admin:
            for device in chosen:
                taken.devices.discard(device.id)
                taken.counters.subtract(_consumed(device.id, device.obj))

    def _allocation(self, claim: Obj, results: Results, node: Obj) -> Obj:
        """Build `status.allocation`."""
        devices: Obj = {"results": [_result(request, device) for request, device in results]}
        if config := _config(claim, results):
            devices["config"] = config
        found: Obj = {"devices": devices}
        if selector := _where(results, node):
            found["nodeSelector"] = selector
        return found


def _spec(claim: Obj) -> Obj:
    return (claim.get("spec") or {}).get("devices") or {}


def _full_name(claim: Obj) -> str:
    return f"{namespace_of(claim)}/{name_of(claim)}"


def _consumed(id_: DeviceId, device: Obj) -> dict[tuple[str, str, str, str], int]:
    return {
        (id_.driver, id_.pool, each["counterSet"], name): parse(counter["value"]).nano
        for each in device.get("consumesCounters") or ()
        for name, counter in (each.get("counters") or {}).items()
    }


def _matches(claim: Obj, request: Request, selector: Obj, device: Device) -> bool:
    compiled = compile_selector((selector.get("cel") or {}).get("expression") or "")
    where = f"claim {_full_name(claim)}, request {request.name}"
    if compiled.program is None:
        raise AllocationError(f"{where}: selector: CEL compile error: {compiled.problem}")
    try:
        return compiled.program.run({"device": device.variables()}) is True
    except (EvalError, CostExceeded) as error:
        raise AllocationError(f"{where}: selector: CEL runtime error: {error}") from None


def _repelled(request: Request, device: Device) -> bool:
    """Tell whether a taint of the device keeps the request off."""
    tolerations = request.asked.get("tolerations") or ()
    return any(
        taint.get("effect") in _HARD
        and not any(tolerates(toleration, taint) for toleration in tolerations)
        for taint in device.obj.get("taints") or ()
    )


def _keeps_constraints(claim: Obj, results: Results) -> bool:
    """Tell whether the devices that a constraint is about agree, or differ, in its attribute."""
    for constraint in _spec(claim).get("constraints") or ():
        names = set(constraint.get("requests") or ())
        values = []
        same = constraint.get("matchAttribute")
        attribute = same or constraint.get("distinctAttribute") or ""
        for request, device in results:
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


def _result(request: Request, device: Device) -> Obj:
    found: Obj = {"request": request.name, **device.id._asdict()}
    if request.admin:
        found["adminAccess"] = True
    if tolerations := request.asked.get("tolerations"):
        found["tolerations"] = tolerations
    for conditions in (GOOD, BAD):
        if given := device.obj.get(conditions):
            found[conditions] = given
    return found


def _config(claim: Obj, results: Results) -> list[dict[str, Any]]:
    """Return what drivers are told: of the classes first, then of the claim."""
    found: list[dict[str, Any]] = []
    for request in dict.fromkeys(request.name for request, _ in results):
        device_class = next(r.device_class for r, _ in results if r.name == request)
        of_class = (device_class.get("spec") or {}).get("config") or ()
        found += [{"source": "FromClass", "requests": [request], **one} for one in of_class]
    return found + [{"source": "FromClaim", **one} for one in _spec(claim).get("config") or ()]


def _where(results: Results, node: Obj) -> Obj | None:
    """Return the nodes from which all devices can be used, None for any."""
    terms: dict[str, list[Obj]] = {}
    for _, device in results:
        spec = device.slice["spec"]
        place = device.obj if spec.get("perDeviceNodeSelection") else spec
        if place.get("nodeName") or device.obj.get("bindsToNode"):
            match = {"key": "metadata.name", "operator": "In", "values": [name_of(node)]}
            return {"nodeSelectorTerms": [{"matchFields": [match]}]}
        selector = place.get("nodeSelector") or {}
        for term in selector.get("nodeSelectorTerms") or ():
            for kind in ("matchExpressions", "matchFields"):
                for one in term.get(kind) or ():
                    known = terms.setdefault(kind, [])
                    if one not in known:
                        known.append(one)
    return {"nodeSelectorTerms": [terms]} if terms else None
