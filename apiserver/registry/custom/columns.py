"""Columns and field selectors of a custom kind: values at JSON paths that its author gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from apimachinery.clock import parse_time
from apimachinery.duration import UNKNOWN, translate_timestamp_since
from apimachinery.jsonpath import JsonPath, JsonPathError, compiled
from apimachinery.meta import Obj
from apimachinery.verbatim import encoded
from apiserver.registry.resource import Column
from apiserver.registry.table import NAME, dig

_CREATED = (
    "CreationTimestamp is a timestamp representing the server time when this object was created."
)
_AGE: Obj = {
    "name": "Age",
    "type": "date",
    "jsonPath": ".metadata.creationTimestamp",
    "description": _CREATED,
}


def columns_of(version: Obj) -> tuple[Column, ...]:
    """Return the columns of a version; without any of its own it shows ages."""
    given: Iterable[Obj] = version.get("additionalPrinterColumns") or [_AGE]
    found = [NAME]
    # A path that cannot be read ends the columns.
    with suppress(JsonPathError):
        found.extend(map(_column, given))
    return tuple(found)


def _column(given: Obj) -> Column:
    path, kind = given.get("jsonPath") or "", given.get("type") or "string"
    about = given.get("description")
    return Column(
        given.get("name") or "",
        _cell(compiled(path), kind),
        type=kind,
        format=given.get("format") or "",
        priority=given.get("priority") or 0,
        description=about or f"Custom resource definition column (in JSONPath format): {path}",
    )


def _cell(path: JsonPath, kind: str) -> Callable[[Obj, float], Any]:
    show = _SHOWN.get(kind, _text)

    def cell(obj: Obj, now: float) -> Any:
        found = path.find(obj)
        return show(found[0], now) if found else None

    return cell


def _text(value: Any, now: float) -> Any:
    del now
    if value is None:
        return "<no value>"
    return value if isinstance(value, str) else encoded(value)


def _integer(value: Any, now: float) -> Any:
    del now
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return int(value) if is_number else None


def _number(value: Any, now: float) -> Any:
    del now
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else None


def _boolean(value: Any, now: float) -> Any:
    del now
    return value if isinstance(value, bool) else None


def _date(value: Any, now: float) -> Any:
    if not isinstance(value, str):
        return None
    if value in ("", "null"):
        return UNKNOWN
    try:
        parse_time(value)
    except ValueError:
        return "<invalid>"
    return translate_timestamp_since(value, now)


_SHOWN: Mapping[str, Callable[[Any, float], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
}


def selectable_of(version: Obj) -> dict[str, Callable[[Obj], str]]:
    """Return the field selectors of a version: label -> value as text."""
    given = version.get("selectableFields") or ()
    paths = ((one.get("jsonPath") or "").removeprefix(".") for one in given)
    return {path: _reader(tuple(path.split("."))) for path in paths if path}


def _reader(parts: tuple[str, ...]) -> Callable[[Obj], str]:
    def read(obj: Obj) -> str:
        value = dig(obj, parts)
        if value is None:
            return ""
        return value if isinstance(value, str) else orjson.dumps(value).decode()

    return read
