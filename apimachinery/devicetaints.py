"""Taints of devices: those that their driver sets, and those that rules add.

A DeviceTaintRule taints all devices that it selects as if their slices said so. Without a
selector it selects none, with an empty one all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from apimachinery.clock import parse_time
from apimachinery.meta import Obj
from apimachinery.nodes import NO_EXECUTE, tolerates


def selects(rule: Mapping[str, Any], driver: str, pool: str, device: str) -> bool:
    """Tell whether a rule is about a device."""
    selector = rule["spec"].get("deviceSelector")
    if selector is None:
        return False
    found = {"driver": driver, "pool": pool, "device": device}
    return all(selector.get(name) in (None, value) for name, value in found.items())


def added(rules: Iterable[Obj], driver: str, pool: str, device: str) -> Iterator[Obj]:
    """Yield the taints that rules add to a device."""
    for rule in rules:
        if selects(rule, driver, pool, device):
            yield rule["spec"]["taint"]


def with_rules(one: Obj, rules: Sequence[Obj]) -> Obj:
    """Return a ResourceSlice with what rules add; itself where they add nothing."""
    spec = one["spec"]
    driver, pool = spec["driver"], spec["pool"]["name"]
    devices, changed = [], False
    for device in spec.get("devices") or ():
        if more := list(added(rules, driver, pool, device["name"])):
            changed = True
            devices.append({**device, "taints": [*(device.get("taints") or ()), *more]})
        else:
            devices.append(device)
    return {**one, "spec": {**spec, "devices": devices}} if changed else one


def ends(taints: Iterable[Obj], tolerations: Sequence[Obj]) -> Iterator[float]:
    """Yield the second by which each taint wants a device free; none for one that is borne."""
    for taint in taints:
        if taint.get("effect") != NO_EXECUTE:
            continue
        since = parse_time(taint["timeAdded"]).timestamp() if taint.get("timeAdded") else 0.0
        matching = [one for one in tolerations if tolerates(one, taint)]
        limits = [one.get("tolerationSeconds") for one in matching]
        if not matching:
            yield since
        elif all(limit is not None for limit in limits):
            yield since + max(min(float(limit) for limit in limits if limit is not None), 0.0)
