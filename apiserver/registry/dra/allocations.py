"""What the scheduler has found for a claim, who uses it, and how drivers say the devices are."""

from __future__ import annotations

import ipaddress

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    repeats,
    required,
    too_long,
    too_many,
)
from apimachinery.validation.names import is_dns1123_label
from apiserver.registry.dra.lists import each, each_once, pool_name_errors, uid_errors
from apiserver.registry.dra.requests import (
    RequestNames,
    config_errors,
    reference_errors,
    references_errors,
    request_names,
)
from apiserver.registry.dra.taints import binding_errors, toleration_errors
from apiserver.registry.podspec.checks import immutable, obey, one_of_required
from apiserver.registry.podspec.scheduling import node_selector_errors
from apiserver.registry.rules.conditions import condition_errors
from apiserver.registry.storage.parameters import driver_name_errors

_STATUS = Path("status")
_MOST_USERS = 256
_MOST_RESULTS = 32
_MOST_CONFIGS = 64  # of the class and of the claim
_MOST_CONDITIONS = 8
_MOST_IPS = 16
_LONGEST_DATA = 10 * 1024
_SOURCES = ("FromClaim", "FromClass")
_NETWORK = (("interfaceName", 256), ("hardwareAddress", 128))

Device = tuple[str, str, str, str | None]


def device_of(one: Obj) -> Device:
    """Return which device, or which share of it, a result or a status is about."""
    driver, pool, name = (one.get(part) or "" for part in ("driver", "pool", "device"))
    return driver, pool, name, one.get("shareID")


def allocated(status: Obj) -> set[Device]:
    """Return the devices that a claim has."""
    devices = (status.get("allocation") or {}).get("devices") or {}
    return {device_of(one) for one in devices.get("results") or ()}


def status_errors(new: Obj, old: Obj) -> FieldErrors:
    """Yield what is wrong with the status of a claim."""
    status, before = new.get("status") or {}, old.get("status") or {}
    names = request_names(new.get("spec") or {})
    users = status.get("reservedFor") or []
    yield from each_once(
        users, _MOST_USERS, _STATUS / "reservedFor", _user_errors, lambda one: one.get("uid") or ""
    )
    known = allocated(status)

    def rule(device: Obj, path: Path) -> FieldErrors:
        yield from _device_status_errors(device, known, path)

    yield from each_once(status.get("devices") or [], -1, _STATUS / "devices", rule, device_of)
    deleting = bool(new["metadata"].get("deletionTimestamp"))
    yield from _reserved_errors(status, before, deleting=deleting)
    path = _STATUS / "allocation"
    allocation = status.get("allocation")
    if allocation is None:
        return
    if before.get("allocation") is not None:
        yield from immutable(allocation, before["allocation"], path)
    else:
        yield from _allocation_errors(allocation, names, path)


def _user_errors(user: Obj, path: Path) -> FieldErrors:
    for name in ("resource", "name", "uid"):
        if not user.get(name):
            yield required(path / name)


def _reserved_errors(status: Obj, before: Obj, *, deleting: bool) -> FieldErrors:
    users, path = status.get("reservedFor") or [], _STATUS / "reservedFor"
    if not users:
        return
    if status.get("allocation") is None:
        yield forbidden(path, "may not be specified when `allocated` is not set")
    elif deleting and any(one not in (before.get("reservedFor") or ()) for one in users):
        why = (
            "new entries may not be added while `deallocationRequested` or `deletionTimestamp` "
            "are set"
        )
        yield forbidden(path, why)


def _allocation_errors(allocation: Obj, names: RequestNames, path: Path) -> FieldErrors:
    devices, where = allocation.get("devices") or {}, path / "devices"

    def result(one: Obj, at: Path) -> FieldErrors:
        yield from _result_errors(one, names, at)

    def config(one: Obj, at: Path) -> FieldErrors:
        yield from one_of_required(one.get("source"), _SOURCES, at / "source")
        yield from references_errors(one.get("requests") or [], at / "requests", names)
        yield from config_errors(one, at)

    yield from each(devices.get("results") or [], _MOST_RESULTS, where / "results", result)
    yield from each(devices.get("config") or [], _MOST_CONFIGS, where / "config", config)
    if allocation.get("nodeSelector") is not None:
        yield from node_selector_errors(allocation["nodeSelector"], path / "nodeSelector")


def _result_errors(result: Obj, names: RequestNames, path: Path) -> FieldErrors:
    yield from reference_errors(result.get("request") or "", path / "request", names)
    yield from _place_errors(result, path)
    yield from binding_errors(result, path)
    yield from toleration_errors(result.get("tolerations") or [], path / "tolerations")
    if result.get("shareID") is not None:
        yield from uid_errors(result["shareID"], path / "shareID")


def _place_errors(one: Obj, path: Path) -> FieldErrors:
    yield from driver_name_errors(one.get("driver") or "", path / "driver")
    yield from pool_name_errors(one.get("pool") or "", path / "pool")
    yield from obey(is_dns1123_label, one.get("device") or "", path / "device")


def _device_status_errors(device: Obj, known: set[Device], path: Path) -> FieldErrors:
    yield from _place_errors(device, path)
    if device.get("shareID") is not None:
        yield from uid_errors(device["shareID"], path / "shareID")
    if device_of(device) not in known:
        shown = dict(zip(("Driver", "Pool", "Device", "ShareID"), device_of(device), strict=True))
        yield invalid(path, shown, "must be an allocated device in the claim")
    conditions = device.get("conditions") or []
    if len(conditions) > _MOST_CONDITIONS:
        yield too_many(path / "conditions", len(conditions), _MOST_CONDITIONS)
    yield from condition_errors(conditions, path / "conditions")
    data = device.get("data")
    if data is not None and not isinstance(data, dict):
        yield invalid(path / "data", "<value omitted>", "must be a valid JSON object")
    elif len(str(data or "")) > _LONGEST_DATA:
        yield too_long(path / "data", "", _LONGEST_DATA)
    yield from _network_errors(device.get("networkData") or {}, path / "networkData")


def _network_errors(network: Obj, path: Path) -> FieldErrors:
    for name, longest in _NETWORK:
        if len(network.get(name) or "") > longest:
            yield too_long(path / name, "", longest)
    ips = network.get("ips") or []
    if len(ips) > _MOST_IPS:
        yield too_many(path / "ips", len(ips), _MOST_IPS)
        return
    for at, text in enumerate(ips):
        yield from _interface_errors(text, path / "ips", at)
    again = repeats(ips)
    for at, text in enumerate(ips):
        if at in again:
            yield duplicate((path / "ips")[at], text)


def _interface_errors(text: str, path: Path, at: int) -> FieldErrors:
    try:
        found = ipaddress.ip_interface(text) if "/" in text else None
    except ValueError:
        found = None
    if found is None:
        why = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"
        yield invalid(path[at], text, why)
    elif str(found) != text:
        yield invalid(path[at], text, f'must be in canonical form ("{found}")')
