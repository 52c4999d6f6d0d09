"""Lengths of time in two spellings: ages as kubectl shows them, durations as Go writes them."""

from __future__ import annotations

import re
from decimal import Decimal

from apimachinery.clock import parse_time

UNKNOWN = "<unknown>"
INVALID = "<invalid>"

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY_HOURS = 24
_YEAR_HOURS = 365 * _DAY_HOURS

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,  # micro sign
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_TERM = re.compile(r"([0-9]*)(\.[0-9]*)?([^0-9.]*)")


def human_duration(seconds: float) -> str:
    """Print an age in two or three digits and at most two units: 90s, 5m30s, 3h, 2d4h, 4y."""
    whole = int(seconds)
    if whole < -1:
        return INVALID
    if whole < 2 * _MINUTE:
        return f"{max(whole, 0)}s"
    if whole < 3 * _HOUR:
        minutes = whole // _MINUTE
        return _two(minutes, "m", whole % 60, "s") if minutes < 10 else f"{minutes}m"
    return _hours(whole // _HOUR, whole // _MINUTE % 60)


def _hours(hours: int, minutes: int) -> str:
    if hours < 8:
        return _two(hours, "h", minutes, "m")
    if hours < 2 * _DAY_HOURS:
        return f"{hours}h"
    days = hours // _DAY_HOURS
    if hours < 8 * _DAY_HOURS:
        return _two(days, "d", hours % _DAY_HOURS, "h")
    if hours < 2 * _YEAR_HOURS:
        return f"{days}d"
    if hours < 8 * _YEAR_HOURS:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}" + (f"{small}{small_unit}" if small else "")


def translate_timestamp_since(timestamp: str | None, now: float) -> str:
    """Return the age of an RFC 3339 timestamp at `now` (seconds since the epoch)."""
    if not timestamp:
        return UNKNOWN
    try:
        return human_duration(now - parse_time(timestamp).timestamp())
    except ValueError:
        return UNKNOWN


def parse_duration(text: str) -> float:
    """Read a Go duration ("1h30m", "300ms", "-1.5s") as seconds. Raises ValueError, Go's words."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0.0
    if not rest:
        raise ValueError(f'time: invalid duration "{text}"')
    total = Decimal(0)
    while rest:
        match = _TERM.match(rest)
        if match is None or not (match[1] or (match[2] or "").strip(".")):
            raise ValueError(f'time: invalid duration "{text}"')
        if not match[3]:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if match[3] not in _UNITS:
            raise ValueError(f'time: unknown unit "{match[3]}" in duration "{text}"')
        total += Decimal((match[1] or "0") + (match[2] or "").rstrip(".")) * _UNITS[match[3]]
        rest = rest[match.end() :]
    if total >= 2**63:
        raise ValueError(f'time: invalid duration "{text}"')
    seconds = float(int(total)) / 10**9
    return -seconds if text[0] == "-" else seconds


def format_duration(seconds: float) -> str:
    """Print seconds as Go's time.Duration: "1h30m0s", "1.5s", "300ms", "0s"."""
    nanos = round(abs(seconds) * 10**9)
    sign = "-" if seconds < 0 and nanos else ""
    if nanos == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if nanos < size * 1000:
            return f"{sign}{_decimal(nanos, size)}{unit}"
    hours, rest = divmod(nanos, 3600 * 10**9)
    minutes, rest = divmod(rest, 60 * 10**9)
    text = f"{_decimal(rest, 10**9)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def _decimal(nanos: int, size: int) -> str:
    whole, rest = divmod(nanos, size)
    if not rest:
        return str(whole)
    fraction = str(rest).rjust(len(str(size)) - 1, "0").rstrip("0")
    return f"{whole}.{fraction}"
