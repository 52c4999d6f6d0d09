"""Timestamps and durations: reading, printing, their parts in a time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apimachinery.cel.errors import EvalError
from apimachinery.cel.values import INT_MAX, INT_MIN, SECOND, Duration, Timestamp
from apimachinery.gotext import quoted

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")
# No duration has more before its point; what comes later behind it is less than a nanosecond.
_MOST_DIGITS = 20
_STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)"
)
_WHOLE = re.compile("[+-]?[0-9]{1,18}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = -62135596800 * SECOND
_LAST = 253402300799 * SECOND + SECOND - 1


def parse_duration(text: str) -> Duration:
    """Read Go's form: "1h30m", "-1.5s". Raises EvalError."""
    rest = text.lstrip("+-") if text[:1] in ("+", "-") else text
    if rest == "0":
        return Duration(0)
    total, at = 0, 0
    while at < len(rest):
        match = _PART.match(rest, at)
        if match is None:
            break
        whole, _, fraction = match[1].partition(".")
        whole, fraction = whole.lstrip("0"), fraction[:_MOST_DIGITS]
        if len(whole) > _MOST_DIGITS:
            break
        unit = _UNITS[match[2]]
        total += int(whole or "0") * unit
        total += int(fraction or "0") * unit // 10 ** len(fraction)
        at = match.end()
    if not rest or at < len(rest) or len(text) - len(rest) > 1:
        raise EvalError(f'time: invalid duration "{text}"')
    return duration(-total if text.startswith("-") else total)


def duration(ns: int) -> Duration:
    """Return a duration within its range. Raises EvalError."""
    if not INT_MIN <= ns <= INT_MAX:
        raise EvalError("integer overflow")
    return Duration(ns)


def print_duration(value: Duration) -> str:
    """Print seconds, as CEL's string() does: "5400s", "1.5s"."""
    sign, ns = ("-" if value.ns < 0 else ""), abs(value.ns)
    whole, rest = divmod(ns, SECOND)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{sign}{whole}{fraction}s"


def parse_timestamp(text: str) -> Timestamp:
    """Read RFC 3339. Raises EvalError."""
    match = _STAMP.fullmatch(text)
    moment = _moment(match) if match is not None else None
    if match is None or moment is None:
        why = (
            f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"'
        )
        raise EvalError(why)
    fraction = int((match[7] or "0").ljust(9, "0"))
    return timestamp(_seconds(moment) * SECOND + fraction)


def _moment(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second = (int(match[at]) for at in range(1, 7))
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=_zone_of(match[8]))
    except ValueError:
        return None


def _seconds(moment: datetime) -> int:
    passed = moment - _EPOCH
    return passed.days * 86400 + passed.seconds


def _zone_of(text: str) -> tzinfo:
    if text in ("Z", "z"):
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def timestamp(ns: int) -> Timestamp:
    """Return a moment within the years 1 to 9999. Raises EvalError."""
    if not _FIRST <= ns <= _LAST:
        raise EvalError("timestamp overflow")
    return Timestamp(ns)


def print_timestamp(value: Timestamp) -> str:
    """Print RFC 3339 in UTC, with a fraction where there is one."""
    seconds, rest = divmod(value.ns, SECOND)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    moment = _EPOCH + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f"{fraction}Z"


def local(value: Timestamp, zone: str = "") -> datetime:
    """Return a moment in a zone: "" is UTC, else a name or "+02:00". Raises EvalError."""
    moment = _EPOCH + timedelta(seconds=value.ns // SECOND)
    if not zone:
        return moment
    try:
        if ":" in zone:
            return moment + _offset(zone)
        return moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        raise EvalError("timestamp overflow") from None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise EvalError(f"unknown time zone {zone}") from None


def _offset(zone: str) -> timedelta:
    hours, _, minutes = zone.partition(":")
    for part in (hours, minutes):
        if not _WHOLE.fullmatch(part):
            raise EvalError(f"strconv.Atoi: parsing {quoted(part)}: invalid syntax")
    more = int(minutes) * (-1 if zone[0] == "-" else 1)
    return timedelta(minutes=int(hours) * 60 + more)
