"""How much of a device a request uses up, where several may have the same device.

A request that says nothing uses the default of the device, or all of it; what it says is rounded
up to what the device has for its users.
"""

from __future__ import annotations

from collections.abc import Mapping

from apimachinery.meta import Obj
from apimachinery.quantity import NANO, Quantity, parse

Amounts = Mapping[str, Quantity]


def needed(asked: Obj, device: Obj) -> Amounts | None:
    """Return what a request uses of each capacity, None where even an unused device is too small.

    Of a device that nobody else may have it uses nothing; the device must be large enough.
    """
    wanted = (asked.get("capacity") or {}).get("requests") or {}
    capacities = device.get("capacity") or {}
    if not wanted.keys() <= capacities.keys():
        return None
    shared, found = is_shared(device), {}
    for name, capacity in capacities.items():
        if name not in wanted and not shared:
            continue
        policy, total = capacity.get("requestPolicy") or {}, parse(capacity.get("value"))
        used = _used(wanted.get(name), total, policy)
        if used > total or not _is_allowed(used, policy):
            return None
        found[name] = used
    return found if shared else {}


def is_shared(device: Obj) -> bool:
    """Tell whether several claims may have a device at a time."""
    return bool(device.get("allowMultipleAllocations"))


def _used(wanted: str | None, total: Quantity, policy: Obj) -> Quantity:
    if wanted is None:
        return total if policy.get("default") is None else parse(policy["default"])
    amount, allowed = parse(wanted), policy.get("validRange") or {}
    if allowed.get("min") is not None:
        return _in_steps(amount, allowed)
    larger = (value for value in map(parse, policy.get("validValues") or ()) if value >= amount)
    return next(larger, amount)


def _in_steps(amount: Quantity, allowed: Obj) -> Quantity:
    """Round up to the smallest amount, or so many steps above it; steps are whole numbers."""
    least = parse(allowed["min"])
    if amount < least:
        return least
    if allowed.get("step") is None:
        return amount
    step = parse(allowed["step"])
    steps = -((least.value() - amount.value()) // step.value())
    return Quantity((least.value() + step.value() * steps) * NANO, step.format)


def _is_allowed(used: Quantity, policy: Obj) -> bool:
    if policy.get("default") is not None and used == parse(policy["default"]):
        return True
    if allowed := policy.get("validRange"):
        most = allowed.get("max")
        return most is None or used <= parse(most)
    values = policy.get("validValues")
    return not values or used in map(parse, values)
