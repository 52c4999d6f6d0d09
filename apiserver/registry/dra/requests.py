"""What a claim may ask for: devices of classes, chosen by CEL, alone or one of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from apimachinery.cel.devices import compile_selector, is_too_complex
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
    too_many,
)
from apimachinery.validation.names import is_dns1123_label, is_dns1123_subdomain
from apiserver.registry.dra.lists import each, each_once, fully_qualified_name_errors, named
from apiserver.registry.dra.taints import toleration_errors
from apiserver.registry.podspec.checks import name_or_required, obey
from apiserver.registry.storage.parameters import driver_name_errors

_EXACT, _ALL = "ExactCount", "All"
_MOST = 32
_MOST_ALTERNATIVES = 8
_LONGEST_EXPRESSION = 10 * 1024
_LARGEST_PARAMETERS = 10 * 1024
_NO_REQUEST = (
    "must be the name of a request in the claim or the name of a request "
    "and a subrequest separated by '/'"
)
_ONE = "exactly one of `exactly` or `firstAvailable` is required"

# request -> its alternatives
RequestNames = Mapping[str, set[str]]


def default_claim_spec(spec: Obj | None) -> None:
    """Fill in how many devices are asked for: one."""
    for request in ((spec or {}).get("devices") or {}).get("requests") or ():
        for one in (request.get("exactly"), *(request.get("firstAvailable") or ())):
            if one is None:
                continue
            if not one.get("allocationMode"):
                one["allocationMode"] = _EXACT
            if one["allocationMode"] == _EXACT and not one.get("count"):
                one["count"] = 1


def request_names(spec: Obj) -> RequestNames:
    """Return the names of a claim's requests, each with those of its alternatives."""
    requests = (spec.get("devices") or {}).get("requests") or ()
    return {named(one): {named(sub) for sub in one.get("firstAvailable") or ()} for one in requests}


def claim_spec_errors(spec: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a ResourceClaimSpec."""
    devices, path, names = spec.get("devices") or {}, path / "devices", request_names(spec)

    def constraint(one: Obj, where: Path) -> FieldErrors:
        yield from references_errors(one.get("requests") or [], where / "requests", names)
        yield from _constraint_errors(one, where)

    def config(one: Obj, where: Path) -> FieldErrors:
        yield from references_errors(one.get("requests") or [], where / "requests", names)
        yield from config_errors(one, where)

    requests = devices.get("requests") or []
    yield from each_once(requests, _MOST, path / "requests", _request_errors, named)
    yield from each(devices.get("constraints") or [], _MOST, path / "constraints", constraint)
    yield from each(devices.get("config") or [], _MOST, path / "config", config)


def _request_errors(request: Obj, path: Path) -> FieldErrors:
    yield from obey(is_dns1123_label, named(request), path / "name")
    exactly, first = request.get("exactly"), request.get("firstAvailable") or []
    if exactly is None and not first:
        yield required(path, _ONE)
    elif exactly is not None and first:
        yield invalid(path, None, f"{_ONE}, but multiple fields are set")
    elif exactly is not None:
        yield from _device_errors(exactly, path / "exactly")
    else:
        where = path / "firstAvailable"
        yield from each_once(first, _MOST_ALTERNATIVES, where, _alternative_errors, named)


def _alternative_errors(request: Obj, path: Path) -> FieldErrors:
    yield from obey(is_dns1123_label, named(request), path / "name")
    yield from _device_errors(request, path)


def _device_errors(request: Obj, path: Path) -> FieldErrors:
    name = request.get("deviceClassName") or ""
    yield from name_or_required(is_dns1123_subdomain, name, path / "deviceClassName")
    yield from selector_errors(request.get("selectors") or (), path / "selectors")
    mode, count = request.get("allocationMode") or "", request.get("count") or 0
    if mode == _ALL:
        if count != 0:
            why = f"must not be specified when allocationMode is '{_ALL}'"
            yield invalid(path / "count", count, why)
    elif mode == _EXACT:
        if count <= 0:
            yield invalid(path / "count", count, "must be greater than zero")
    else:
        yield not_supported(path / "allocationMode", mode, (_ALL, _EXACT))
    yield from toleration_errors(request.get("tolerations") or [], path / "tolerations")


def selector_errors(selectors: Sequence[Obj], path: Path) -> FieldErrors:
    """Yield what is wrong with a list of selectors of devices."""
    if len(selectors) > _MOST:
        yield too_many(path, len(selectors), _MOST)
    for at, selector in enumerate(selectors):
        cel = selector.get("cel")
        if cel is None:
            yield required(path[at] / "cel")
            continue
        text, where = cel.get("expression") or "", path[at] / "cel" / "expression"
        if len(text) > _LONGEST_EXPRESSION:
            yield too_long(where, text, _LONGEST_EXPRESSION)
        elif not text:
            yield required(where)
        elif why := (compiled := compile_selector(text)).problem:
            yield invalid(where, text, why)
        elif is_too_complex(compiled):
            yield forbidden(where, "too complex, exceeds cost limit")


def references_errors(names: Sequence[str], path: Path, known: RequestNames) -> FieldErrors:
    """Yield what is wrong with a list of names of requests."""

    def rule(name: str, where: Path) -> FieldErrors:
        yield from reference_errors(name, where, known)

    yield from each_once(names, _MOST, path, rule, str)


def reference_errors(name: str, path: Path, known: RequestNames) -> FieldErrors:
    """Yield that a name is none of a request, or of `request/alternative`."""
    parts = name.split("/")
    if len(parts) > 2:
        yield invalid(path, name, _NO_REQUEST)
        return
    for part in parts:
        yield from obey(is_dns1123_label, part, path)
    first, _, second = name.partition("/")
    if first not in known or (len(parts) == 2 and second not in known[first]):
        yield invalid(path, name, _NO_REQUEST)


def _constraint_errors(constraint: Obj, path: Path) -> FieldErrors:
    for name in ("matchAttribute", "distinctAttribute"):
        if constraint.get(name) is not None:
            yield from fully_qualified_name_errors(constraint[name], path / name)
            return
    why = (
        'exactly one of "matchAttribute" or "distinctAttribute" is required, '
        "but multiple fields are set"
    )
    yield required(path, why)


def config_errors(config: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with parameters for a driver."""
    opaque, path = config.get("opaque"), path / "opaque"
    if opaque is None:
        yield required(path)
        return
    yield from driver_name_errors(opaque.get("driver") or "", path / "driver")
    parameters = opaque.get("parameters")
    if parameters is None:
        yield required(path / "parameters")
    elif len(orjson.dumps(parameters)) > _LARGEST_PARAMETERS:
        yield too_long(path / "parameters", "", _LARGEST_PARAMETERS)
    elif not isinstance(parameters, dict):
        yield invalid(path / "parameters", "<value omitted>", "must be a valid JSON object")
