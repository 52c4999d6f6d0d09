"""What a claim may ask for: devices of classes, chosen by CEL, alone or one of several."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.cel.devices import compile_selector, is_too_complex
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
    too_many,
)
from apimachinery.validation.names import is_dns1123_label, is_dns1123_subdomain, is_qualified_name
from apiserver.registry.podspec.checks import name_or_required, obey

_EXACT, _ALL = "ExactCount", "All"
_MOST = 32
_MOST_ALTERNATIVES = 8
_LONGEST_EXPRESSION = 10 * 1024
_ONE = "exactly one of `exactly` or `firstAvailable` is required"


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


def claim_spec_errors(spec: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a ResourceClaimSpec."""
    devices, path = spec.get("devices") or {}, path / "devices"
    requests = devices.get("requests") or ()
    if len(requests) > _MOST:
        yield too_many(path / "requests", len(requests), _MOST)
    names: set[str] = set()
    for at, request in enumerate(requests):
        yield from _request_errors(request, (path / "requests")[at], names)
    for part in ("constraints", "config"):
        given = devices.get(part) or ()
        if len(given) > _MOST:
            yield too_many(path / part, len(given), _MOST)
        for at, one in enumerate(given):
            where = (path / part)[at]
            yield from _reference_errors(one.get("requests") or (), where / "requests", names)
            if part == "constraints":
                yield from _constraint_errors(one, where)
            else:
                yield from config_errors(one, where)


def _request_errors(request: Obj, path: Path, names: set[str]) -> FieldErrors:
    yield from _name_errors(request.get("name") or "", path / "name", names)
    exactly, first = request.get("exactly"), request.get("firstAvailable") or ()
    if exactly is None and not first:
        yield required(path, _ONE)
    elif exactly is not None and first:
        why = (
            "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set"
        )
        yield invalid(path, None, why)
    elif exactly is not None:
        yield from _device_errors(exactly, path / "exactly")
    else:
        where = path / "firstAvailable"
        if len(first) > _MOST_ALTERNATIVES:
            yield too_many(where, len(first), _MOST_ALTERNATIVES)
        own: set[str] = set()
        for at, one in enumerate(first):
            name = one.get("name") or ""
            yield from _name_errors(name, where[at] / "name", own)
            names.add(f"{request.get('name') or ''}/{name}")
            yield from _device_errors(one, where[at])


def _name_errors(name: str, path: Path, seen: set[str]) -> FieldErrors:
    if name in seen:
        yield duplicate(path, name)
    else:
        yield from name_or_required(is_dns1123_label, name, path)
    seen.add(name)


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


def _reference_errors(names: Sequence[str], path: Path, known: set[str]) -> FieldErrors:
    for at, name in enumerate(names):
        if name in names[:at]:
            yield duplicate(path[at], name)
        if name not in known:
            why = (
                "must be the name of a request in the claim or the name of a request "
                "and a subrequest separated by '/'"
            )
            yield invalid(path[at], name, why)


def _constraint_errors(constraint: Obj, path: Path) -> FieldErrors:
    same, distinct = constraint.get("matchAttribute"), constraint.get("distinctAttribute")
    if same is None and distinct is None:
        yield required(path, "exactly one of `matchAttribute` or `distinctAttribute` is required")
    for name, value in (("matchAttribute", same), ("distinctAttribute", distinct)):
        if value is not None:
            yield from _attribute_errors(value, path / name)


def _attribute_errors(name: str, path: Path) -> FieldErrors:
    if "/" not in name:
        yield invalid(path, name, "must include a domain")
    else:
        yield from obey(is_qualified_name, name, path)


def config_errors(config: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with parameters for a driver."""
    opaque, path = config.get("opaque"), path / "opaque"
    if opaque is None:
        yield required(path)
        return
    yield from name_or_required(is_dns1123_subdomain, opaque.get("driver") or "", path / "driver")
    parameters = opaque.get("parameters")
    if parameters is None:
        yield required(path / "parameters")
    elif not isinstance(parameters, dict):
        yield invalid(path / "parameters", "<value omitted>", "must be a valid JSON object")
