"""How many pods a rolling update may add and take away: numbers or percentages."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldError, FieldErrors, Path, invalid
from apimachinery.validation.names import is_percent
from apiserver.registry.podspec.checks import NEGATIVE

_MAX_PERCENT = 100


def rollout_errors(rolling: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with maxUnavailable and maxSurge, each on its own."""
    yield from number_or_percent_errors(rolling.get("maxUnavailable"), path / "maxUnavailable")
    yield from number_or_percent_errors(rolling.get("maxSurge"), path / "maxSurge")
    yield from at_most_all(rolling.get("maxUnavailable"), path / "maxUnavailable")


def number_or_percent_errors(value: Any, path: Path) -> FieldErrors:
    """Yield that a value is neither a number from 0 on nor a percentage."""
    if isinstance(value, str):
        for message in is_percent(value):
            yield invalid(path, value, message)
    elif value is not None and value < 0:
        yield invalid(path, value, NEGATIVE)


def at_most_all(value: Any, path: Path) -> FieldErrors:
    """Yield that a percentage is more than everything."""
    percent = _percent(value)
    if percent is not None and percent > _MAX_PERCENT:
        yield invalid(path, value, "must not be greater than 100%")


def is_zero(value: Any) -> bool:
    return value == 0 or _percent(value) == 0


def cannot_move(rolling: Obj, path: Path) -> FieldError:
    """Return the error of an update that may neither add a pod nor take one away."""
    return invalid(
        path / "maxUnavailable",
        rolling.get("maxUnavailable"),
        "may not be 0 when `maxSurge` is 0",
    )


def _percent(value: Any) -> int | None:
    if isinstance(value, str) and not is_percent(value):
        return int(value[:-1])
    return None
