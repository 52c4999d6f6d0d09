"""The five fields of a cron schedule: whether they can be read, and if not, why.

The words are those of the Go library that Kubernetes reads schedules with (robfig/cron).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from apimachinery.duration import parse_duration

_DESCRIPTORS = {
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
}
_FIELDS = 5


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


def check_schedule(schedule: str) -> None:
    """Raise CronError where a schedule cannot be read."""
    if not schedule:
        raise CronError("empty spec string")
    rest = schedule
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        _, _, rest = schedule.partition(" ")
        rest = rest.strip()
    if rest.startswith("@"):
        _check_descriptor(rest)
        return
    fields = rest.split()
    if len(fields) != _FIELDS:
        shown = "[" + " ".join(fields) + "]"
        raise CronError(f"expected exactly {_FIELDS} fields, found {len(fields)}: {shown}")
    for text, bounds in zip(fields, _BOUNDS, strict=True):
        for expression in filter(None, text.split(",")):
            _check_range(expression, bounds)


def _check_descriptor(text: str) -> None:
    if text in _DESCRIPTORS:
        return
    every = "@every "
    if text.startswith(every):
        try:
            parse_duration(text[len(every) :])
        except ValueError as error:
            raise CronError(f"failed to parse duration {text}: {error}") from None
        return
    raise CronError(f"unrecognized descriptor: {text}")


def _check_range(expression: str, bounds: _Bounds) -> None:
    """Check one of `*`, `3`, `1-5`, `*/2`, `1-9/2`."""
    range_and_step = expression.split("/")
    low_and_high = range_and_step[0].split("-")
    if low_and_high[0] in ("*", "?"):
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
