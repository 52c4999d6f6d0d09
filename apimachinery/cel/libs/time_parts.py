"""The parts of moments and of spans of time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from apimachinery.cel.functions import Overload, function
from apimachinery.cel.times import local
from apimachinery.cel.values import SECOND, Timestamp

_PARTS: dict[str, Callable[[datetime], int]] = {
    "getFullYear": lambda moment: moment.year,
    "getMonth": lambda moment: moment.month - 1,
    "getDate": lambda moment: moment.day,
    "getDayOfMonth": lambda moment: moment.day - 1,
    "getDayOfWeek": lambda moment: moment.isoweekday() % 7,
    "getDayOfYear": lambda moment: moment.timetuple().tm_yday - 1,
    "getHours": lambda moment: moment.hour,
    "getMinutes": lambda moment: moment.minute,
    "getSeconds": lambda moment: moment.second,
}


def _part(read: Callable[[datetime], int]) -> Callable[..., int]:
    return lambda value, zone="": read(local(value, zone))


def _whole(ns: int, unit: int) -> int:
    return -(-ns // unit) if ns < 0 else ns // unit


def _milliseconds(value: Timestamp, zone: str = "") -> int:
    del zone  # every zone is whole seconds off
    return value.ns % SECOND // 10**6


def _span(unit: int) -> Callable[[Any], int]:
    return lambda value: _whole(value.ns, unit)


TIME_PARTS: list[Overload] = [
    *[
        function(f"timestamp.{name}({zone}) -> int", _part(read))
        for name, read in _PARTS.items()
        for zone in ("", "string")
    ],
    function("timestamp.getMilliseconds() -> int", _milliseconds),
    function("timestamp.getMilliseconds(string) -> int", _milliseconds),
    function("duration.getHours() -> int", _span(3600 * SECOND)),
    function("duration.getMinutes() -> int", _span(60 * SECOND)),
    function("duration.getSeconds() -> int", _span(SECOND)),
    function("duration.getMilliseconds() -> int", lambda value: _whole(value.ns, 10**6)),
]
