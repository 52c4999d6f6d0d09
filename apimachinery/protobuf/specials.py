"""Messages that are no objects in JSON: quantities, times, numbers-or-strings, free-form JSON.

Each reader takes the bytes of one value and returns what JSON shows of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import orjson

from apimachinery import wire
from apimachinery.wire import WireError, signed

# A value out of the bytes between two places.
FromBytes: TypeAlias = Callable[[bytes, int, int], Any]

_MACHINERY = "k8s.io/apimachinery/pkg/"
_META = _MACHINERY + "apis/meta/v1."
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def texts(data: bytes, at: int, end: int, number: int = 1) -> list[str]:
    """Return every string of a field."""
    return [text.decode("utf-8", "replace") for text in payloads(data, at, end, number)]


def payloads(data: bytes, at: int, end: int, number: int) -> list[bytes]:
    """Return every occurrence of a length-delimited field."""
    return [
        value
        for found, value in wire.fields(data, at, end)
        if found == number and isinstance(value, bytes)
    ]


def numbers(data: bytes, at: int, end: int) -> dict[int, int]:
    """Return the varint fields of a small message."""
    return {number: value for number, value in wire.fields(data, at, end) if isinstance(value, int)}


def _quantity(data: bytes, at: int, end: int) -> str:
    return next(iter(texts(data, at, end)[-1:]), "") or "0"


def _int_or_string(data: bytes, at: int, end: int) -> Any:
    found = numbers(data, at, end)
    if found.get(1):
        return next(iter(texts(data, at, end, 3)[-1:]), "")
    return signed(found.get(2, 0), 32)


def _moment(data: bytes, at: int, end: int) -> datetime | None:
    if at == end:
        return None
    found = numbers(data, at, end)
    microseconds = signed(found.get(2, 0), 32) // 1000
    try:
        return _EPOCH + timedelta(seconds=signed(found.get(1, 0)), microseconds=microseconds)
    except OverflowError:
        raise WireError("Time.MarshalJSON: year outside of range [0,9999]") from None


def _time(data: bytes, at: int, end: int) -> str | None:
    moment = _moment(data, at, end)
    return None if moment is None else moment.isoformat(timespec="seconds")[:19] + "Z"


def _micro_time(data: bytes, at: int, end: int) -> str | None:
    moment = _moment(data, at, end)
    return None if moment is None else moment.isoformat(timespec="microseconds")[:26] + "Z"


def _raw_json(data: bytes, at: int, end: int) -> Any:
    found = payloads(data, at, end, 1)
    if not found or not found[-1]:
        return None
    try:
        return orjson.loads(found[-1])
    except orjson.JSONDecodeError as error:
        raise WireError(f"invalid JSON in a raw field: {error}") from None


def _duration(data: bytes, at: int, end: int) -> str:
    return go_duration(signed(numbers(data, at, end).get(1, 0)))


def go_duration(nanoseconds: int) -> str:
    """Print a duration as Go does, from seconds up: "1h0m30s"; below, as "1.5ms"."""
    sign, left = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if left == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1000), ("ms", 1_000_000)):
        if left < size * 1000:
            return f"{sign}{_decimal(left, size)}{unit}"
    minutes, rest = divmod(left, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{head}{_decimal(rest, 10**9)}s"


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    digits = f"{rest:0{len(str(unit)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)


READERS: dict[str, FromBytes] = {
    _MACHINERY + "api/resource.Quantity": _quantity,
    _MACHINERY + "util/intstr.IntOrString": _int_or_string,
    _MACHINERY + "runtime.RawExtension": _raw_json,
    _META + "Time": _time,
    _META + "MicroTime": _micro_time,
    _META + "Duration": _duration,
    _META + "FieldsV1": _raw_json,
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON": _raw_json,
}
