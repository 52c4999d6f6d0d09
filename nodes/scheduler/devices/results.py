"""What is written of the devices that a claim has: `status.allocation`."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

from apimachinery.meta import Obj, name_of
from nodes.scheduler.devices.capacities import Amounts, is_shared
from nodes.scheduler.devices.conditions import BAD, GOOD
from nodes.scheduler.devices.pools import Device
from nodes.scheduler.devices.requests import Request, devices_of


class Result(NamedTuple):
    """A device that a request has, and what it uses of it."""

    request: Request
    device: Device
    amounts: Amounts


def allocation(claim: Obj, results: Sequence[Result], node: Obj) -> Obj:
    """Build `status.allocation`."""
    devices: Obj = {"results": [*map(_result, results)]}
    if config := _config(claim, results):
        devices["config"] = config
    found: Obj = {"devices": devices}
    if selector := _where(results, node):
        found["nodeSelector"] = selector
    return found


def _result(result: Result) -> Obj:
    request, device, amounts = result
    found: Obj = {"request": request.name, **device.id._asdict()}
    if request.admin:
        found["adminAccess"] = True
    if tolerations := request.asked.get("tolerations"):
        found["tolerations"] = tolerations
    for conditions in (GOOD, BAD):
        if given := device.obj.get(conditions):
            found[conditions] = given
    if is_shared(device.obj):
        # Tells the users of the device apart.
        found["shareID"] = str(uuid.uuid4())
        if amounts:
            found["consumedCapacity"] = {name: str(amount) for name, amount in amounts.items()}
    return found


def _config(claim: Obj, results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return what drivers are told: of the classes first, then of the claim."""
    found: list[dict[str, Any]] = []
    classes = {one.request.name: one.request.device_class for one in results}
    for name, device_class in classes.items():
        of_class = (device_class.get("spec") or {}).get("config") or ()
        found += [{"source": "FromClass", "requests": [name], **one} for one in of_class]
    return found + [{"source": "FromClaim", **one} for one in devices_of(claim).get("config") or ()]


def _where(results: Sequence[Result], node: Obj) -> Obj | None:
    """Return the nodes from which all devices can be used, None for any."""
    terms: dict[str, list[Obj]] = {}
    for _, device, _ in results:
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
