"""Cron schedules: reading the five fields, and the moments that they name.

The words of a refusal are those of the Go library that Kubernetes reads schedules with
(robfig/cron). A moment matches by what the clock on the wall of its time zone shows: one that the
change to summer time skips does not come, one that the change back repeats comes twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apimachinery.duration import parse_duration

_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS = 5
# The 29th of February may be eight years away; what does not come in five never counts as coming.
_LONGEST_SEARCH_YEARS = 5


class CronError(ValueError):
    """A schedule that cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    low: int
    high: int
    names: dict[str, int] = field(default_factory=dict)


def _numbered(words: str, first: int) -> dict[str, int]:
    return {word: first + at for at, word in enumerate(words.split())}


_BOUNDS = (
    _Bounds(0, 59),
    _Bounds(0, 23),
    _Bounds(1, 31),
    _Bounds(1, 12, _numbered("jan feb mar apr may jun jul aug sep oct nov dec", 1)),
    _Bounds(0, 6, _numbered("sun mon tue wed thu fri sat", 0)),
)


@dataclass(frozen=True, slots=True)
class _Field:
    """The values of one field, and whether it leaves the choice to the other field of days."""

    values: frozenset[int]
    star: bool


@dataclass(frozen=True, slots=True)
class Fields:
    """A schedule by the clock on the wall."""

    minute: _Field
    hour: _Field
    day: _Field
    month: _Field
    weekday: _Field
    zone: tzinfo

    def next(self, after: datetime) -> datetime | None:
        """Return the first moment after one, in UTC; None if there is none in five years."""
        moment = after.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        last = moment.year + _LONGEST_SEARCH_YEARS
        while moment.year <= last:
            wall = moment.astimezone(self.zone)
            step = self._step(wall)
            if step is None:
                return moment
            moment = step.astimezone(UTC) if isinstance(step, datetime) else moment + step
        return None

    def _step(self, wall: datetime) -> datetime | timedelta | None:
        """Return where to look next, None if this is the moment."""
        if wall.month not in self.month.values:
            year, month = divmod(wall.year * 12 + wall.month, 12)
            return datetime(year, month + 1, 1, tzinfo=self.zone)
        if not self._day_matches(wall):
            midnight = datetime(wall.year, wall.month, wall.day, tzinfo=self.zone)
            return midnight + timedelta(days=1)
        # Within a day the steps are real minutes, so that no hour is lost or invented.
        if wall.hour not in self.hour.values:
            return timedelta(minutes=60 - wall.minute)
        if wall.minute not in self.minute.values:
            later = [one for one in self.minute.values if one > wall.minute]
            return timedelta(minutes=min(later, default=60) - wall.minute)
        return None

    def _day_matches(self, wall: datetime) -> bool:
        day = wall.day in self.day.values
        weekday = wall.isoweekday() % 7 in self.weekday.values
        # If both are restricted, either will do.
        if self.day.star or self.weekday.star:
            return day and weekday
        return day or weekday


@dataclass(frozen=True, slots=True)
class Every:
    """A schedule of equal steps, from wherever it is asked."""

    seconds: int

    def next(self, after: datetime) -> datetime | None:
        """Return the moment one step on, on the second."""
        return after.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=self.seconds)


Schedule: TypeAlias = Fields | Every


def parse_schedule(schedule: str, zone: tzinfo = UTC) -> Schedule:
    """Read a schedule; `zone` is where its clock hangs unless it says so itself.

    Raises CronError.
    """
    if not schedule:
        raise CronError("empty spec string")
    rest = schedule
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        prefix, _, rest = schedule.partition(" ")
        zone = _zone(prefix.partition("=")[2])
        rest = rest.strip()
    if rest.startswith("@every "):
        return _every(rest)
    if rest.startswith("@"):
        if rest not in _DESCRIPTORS:
            raise CronError(f"unrecognized descriptor: {rest}")
        rest = _DESCRIPTORS[rest]
    fields = rest.split()
    if len(fields) != _FIELDS:
        shown = "[" + " ".join(fields) + "]"
        raise CronError(f"expected exactly {_FIELDS} fields, found {len(fields)}: {shown}")
    minute, hour, day, month, weekday = map(_field, fields, _BOUNDS)
    return Fields(minute, hour, day, month, weekday, zone)


def load_zone(name: str) -> tzinfo:
    """Return a time zone by its name. Raises KeyError where there is none."""
    if name in ("", "UTC"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise KeyError(name) from None


def _zone(name: str) -> tzinfo:
    try:
        return load_zone(name)
    except KeyError:
        raise CronError(f"provided bad location {name}: unknown time zone {name}") from None


def _every(text: str) -> Every:
    try:
        seconds = parse_duration(text.removeprefix("@every "))
    except ValueError as error:
        raise CronError(f"failed to parse duration {text}: {error}") from None
    return Every(max(int(seconds), 1))


def _field(text: str, bounds: _Bounds) -> _Field:
    values: set[int] = set()
    star = False
    for expression in filter(None, text.split(",")):
        found, any_ = _range(expression, bounds)
        values.update(found)
        star = star or any_
    return _Field(frozenset(values), star)


def _range(expression: str, bounds: _Bounds) -> tuple[Iterator[int], bool]:
    """Read one of `*`, `3`, `1-5`, `*/2`, `1-9/2`."""
    range_and_step = expression.split("/")
    low_and_high = range_and_step[0].split("-")
    star = low_and_high[0] in ("*", "?")
    if star:
        start, end = bounds.low, bounds.high
    else:
        start = end = _number_or_name(low_and_high[0], bounds)
        if len(low_and_high) == 2:
            end = _number_or_name(low_and_high[1], bounds)
        elif len(low_and_high) > 2:
            raise CronError(f"too many hyphens: {expression}")
    if len(range_and_step) > 2:
        raise CronError(f"too many slashes: {expression}")
    step = _number(range_and_step[1]) if len(range_and_step) == 2 else 1
    if len(range_and_step) == 2 and len(low_and_high) == 1:
        end = bounds.high
    _check_limits(start, end, bounds, expression)
    if step == 0:
        raise CronError(f"step of range should be a positive number: {expression}")
    return iter(range(start, end + 1, step)), star and step == 1


def _check_limits(start: int, end: int, bounds: _Bounds, expression: str) -> None:
    if start < bounds.low:
        raise CronError(f"beginning of range ({start}) below minimum ({bounds.low}): {expression}")
    if end > bounds.high:
        raise CronError(f"end of range ({end}) above maximum ({bounds.high}): {expression}")
    if start > end:
        raise CronError(f"beginning of range ({start}) beyond end of range ({end}): {expression}")


def _number_or_name(text: str, bounds: _Bounds) -> int:
    found = bounds.names.get(text.lower())
    return _number(text) if found is None else found


def _number(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        why = f'strconv.Atoi: parsing "{text}": invalid syntax'
        raise CronError(f"failed to parse int from {text}: {why}")
    number = int(text)
    if number < 0:
        raise CronError(f"negative number ({number}) not allowed: {text}")
    return number
