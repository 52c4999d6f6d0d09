"""What claims ask for, and whether a device is one of those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from apimachinery.cel.devices import compile_selector
from apimachinery.cel.errors import CostExceeded, EvalError
from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.nodes import tolerates
from nodes.scheduler.devices.pools import Device

_HARD = ("NoSchedule", "NoExecute")


class AllocationError(Exception):
    """Something about a claim, its class or a pool is wrong: no node can be judged."""


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


def devices_of(claim: Obj) -> Obj:
    """Return `spec.devices`."""
    return (claim.get("spec") or {}).get("devices") or {}


def full_name(claim: Obj) -> str:
    return f"{namespace_of(claim)}/{name_of(claim)}"


def wishes(claim: Obj, request: Obj, classes: Mapping[str, Obj]) -> Iterator[Request]:
    """Yield what a request asks for: itself, or one of several, the best first."""
    if exactly := request.get("exactly"):
        yield _request(claim, request["name"], exactly, classes)
        return
    for one in request.get("firstAvailable") or ():
        yield _request(claim, f"{request['name']}/{one['name']}", one, classes)


def _request(claim: Obj, name: str, asked: Obj, classes: Mapping[str, Obj]) -> Request:
    class_name = asked.get("deviceClassName") or ""
    found = classes.get(class_name)
    if found is None:
        raise AllocationError(
            f"claim {full_name(claim)}, request {name}: could not retrieve device class "
            f'{class_name}: deviceclass.resource.k8s.io "{class_name}" not found'
        )
    return Request(name, asked, found)


def is_asked_for(claim: Obj, request: Request, device: Device) -> bool:
    """Tell whether a device is what a request asks for."""
    where = f"claim {full_name(claim)}, request {request.name}"
    return all(_matches(one, device, where) for one in request.selectors)


def is_of_class(device_class: Obj, device: Device) -> bool:
    """Tell whether a device is one of a class. Raises AllocationError."""
    where = f"device class {name_of(device_class)}"
    selectors = (device_class.get("spec") or {}).get("selectors") or ()
    return all(_matches(one, device, where) for one in selectors)


def _matches(selector: Obj, device: Device, where: str) -> bool:
    compiled = compile_selector((selector.get("cel") or {}).get("expression") or "")
    if compiled.program is None:
        raise AllocationError(f"{where}: selector: CEL compile error: {compiled.problem}")
    try:
        return compiled.program.run({"device": device.variables()}) is True
    except (EvalError, CostExceeded) as error:
        raise AllocationError(f"{where}: selector: CEL runtime error: {error}") from None


def is_repelled(request: Request, device: Device) -> bool:
    """Tell whether a taint of a device keeps a request off."""
    tolerations = request.asked.get("tolerations") or ()
    return any(
        taint.get("effect") in _HARD
        and not any(tolerates(toleration, taint) for toleration in tolerations)
        for taint in device.obj.get("taints") or ()
    )
