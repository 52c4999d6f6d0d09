"""Values out of JSON, as the type of their field says: times, durations, bytes, doubles, sets."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from apimachinery.cel.errors import EvalError
from apimachinery.cel.times import parse_duration, parse_timestamp
from apimachinery.cel.types import Type
from apimachinery.cel.values import MapList, SetList

Read = Callable[[Any], Any]


def reader(kind: Type) -> Read | None:
    """Return what reads a value of a type, None where it is what it is in JSON."""
    if kind.kind in _SCALARS:
        return _SCALARS[kind.kind]
    if kind.kind == "list":
        return _list(kind)
    if kind.kind == "map":
        read = reader(kind.params[1])
        if read is None:
            return None
        each = read
        return lambda value: {k: each(v) for k, v in value.items()} if value else value
    return None


def _list(kind: Type) -> Read | None:
    each = reader(kind.params[0])
    if not kind.read and each is None:
        return None
    keys = kind.read.removeprefix("map:").split(",")

    def read(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        elements = value if each is None else [each(element) for element in value]
        if kind.read == "set":
            return SetList(elements)
        return MapList(elements, keys) if kind.read else elements

    return read


def _timestamp(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # A `date` has no time of day.
    return parse_timestamp(value if len(value) > 10 else f"{value}T00:00:00Z")


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise EvalError(f"invalid base64 data: {value}") from None


def _double(value: Any) -> Any:
    return float(value) if type(value) is int else value


_SCALARS: dict[str, Read] = {
    "timestamp": _timestamp,
    "duration": _duration,
    "bytes": _bytes,
    "double": _double,
}
