"""Devices as drivers describe them: attributes, capacities, counters, taints and nodes."""

from __future__ import annotations

import re

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required, too_long
from apimachinery.validation.names import is_dns1123_label, is_dns1123_subdomain
from apiserver.registry.dra.capacities import own_capacity_errors, shared_capacity_errors
from apiserver.registry.dra.lists import each, each_once, each_value, qualified_name_errors
from apiserver.registry.dra.taints import binding_errors, taint_errors
from apiserver.registry.podspec.checks import name_or_required, obey
from apiserver.registry.podspec.scheduling import node_selector_errors

_MOST_VALUES = 32  # attributes and capacities together
_MOST_TAINTS = 16
_MOST_CONSUMED = 2
_MOST_COUNTERS = 32
_LONGEST_VALUE = 64
_KINDS = ("bool", "int", "string", "version")
# Attributes that are lists are of a feature that is off.
_LISTS = ("bools", "ints", "strings", "versions")
_NUMBER = r"(0|[1-9]\d*)"
_PRE = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_BUILD = r"[0-9a-zA-Z-]+"
_semver_re = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PRE}(\.{_PRE})*)?(\+{_BUILD}(\.{_BUILD})*)?", re.ASCII
)
_PER_DEVICE = (
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when "
    "`perDeviceNodeSelection` is set to true in the ResourceSlice spec"
)
_NOT_PER_DEVICE = (
    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` "
    "is set to true in the ResourceSlice spec"
)


def drop_lists(devices: list[Obj]) -> None:
    """Drop the values that belong to a feature that is off."""
    for device in devices:
        for attribute in (device.get("attributes") or {}).values():
            for name in _LISTS:
                attribute.pop(name, None)


def device_errors(device: Obj, old: Obj | None, path: Path, *, alone: bool) -> FieldErrors:
    """Yield what is wrong with a device; `alone`: each device says on which nodes it is."""
    yield from obey(is_dns1123_label, device.get("name") or "", path / "name")
    attributes, capacity = device.get("attributes") or {}, device.get("capacity") or {}
    if len(attributes) + len(capacity) > _MOST_VALUES:
        why = f"the total number of attributes and capacities must not exceed {_MOST_VALUES}"
        yield invalid(path, len(attributes) + len(capacity), why)
    where = path / "attributes"
    yield from each_value(attributes, -1, where, qualified_name_errors, _attribute_errors)
    before = old or {}
    if old is None or capacity != (before.get("capacity") or {}):
        shared = device.get("allowMultipleAllocations") is True
        rule = shared_capacity_errors if shared else own_capacity_errors
        yield from each_value(capacity, -1, path / "capacity", qualified_name_errors, rule)
    taints = device.get("taints") or []
    if old is None or taints != (before.get("taints") or []):
        yield from each(taints, _MOST_TAINTS, path / "taints", taint_errors)
    consumed, where = device.get("consumesCounters") or [], path / "consumesCounters"
    yield from each_once(
        consumed, _MOST_CONSUMED, where, _consumption_errors, lambda one: one.get("counterSet")
    )
    yield from _node_errors(device, path, alone=alone)
    yield from binding_errors(device, path)


def _attribute_errors(attribute: Obj, path: Path) -> FieldErrors:
    given = [name for name in _KINDS if attribute.get(name) is not None]
    for name in given:
        value = attribute[name]
        if name == "version" and not _semver_re.fullmatch(value):
            why = "must be a string compatible with semver.org spec 2.0.0"
            yield invalid(path / name, value, why)
        if name in ("string", "version") and len(value.encode()) > _LONGEST_VALUE:
            yield too_long(path / name, value, _LONGEST_VALUE)
    if len(given) != 1:
        yield invalid(path, attribute if given else "", "exactly one value must be specified")


def counter_set_errors(counters: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a set of counters that devices share."""
    yield from name_or_required(is_dns1123_label, counters.get("name") or "", path / "name")
    yield from _counter_errors(counters.get("counters") or {}, path / "counters")


def _consumption_errors(consumed: Obj, path: Path) -> FieldErrors:
    name = consumed.get("counterSet") or ""
    yield from name_or_required(is_dns1123_label, name, path / "counterSet")
    yield from _counter_errors(consumed.get("counters") or {}, path / "counters")


def _counter_errors(counters: Obj, path: Path) -> FieldErrors:
    if not counters:
        yield required(path)
        return

    def name(key: str, where: Path) -> FieldErrors:
        yield from obey(is_dns1123_label, key, where)

    def anything(counter: Obj, where: Path) -> FieldErrors:
        yield from ()

    yield from each_value(counters, _MOST_COUNTERS, path, name, anything)


def _node_errors(device: Obj, path: Path, *, alone: bool) -> FieldErrors:
    given = [
        name for name in ("nodeName", "nodeSelector", "allNodes") if device.get(name) is not None
    ]
    if not alone:
        if given:
            yield invalid(path, None, _NOT_PER_DEVICE)
        return
    said = []
    for name in given:
        value, where = device[name], path / name
        if name == "nodeSelector":
            yield from node_selector_errors(value, where)
        elif name == "nodeName":
            if not value:
                yield invalid(where, value, "must not be empty")
                continue
            yield from obey(is_dns1123_subdomain, value, where)
        elif not value:
            yield invalid(where, value, "must be either unset or set to true")
            continue
        said.append(f"`{name}`")
    if not said:
        yield required(path, _PER_DEVICE)
    elif len(said) > 1:
        yield invalid(path, "{" + ", ".join(said) + "}", _PER_DEVICE)
