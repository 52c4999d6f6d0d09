"""How many pods a rolling update may add and take away: numbers or percentages."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldError, FieldErrors, Path, invalid
from apiserver.registry.podspec.checks import at_most_all, number_or_percent_errors, percentage


def rollout_errors(rolling: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with maxUnavailable and maxSurge, each on its own."""
    yield from number_or_percent_errors(rolling.get("maxUnavailable"), path / "maxUnavailable")
    yield from number_or_percent_errors(rolling.get("maxSurge"), path / "maxSurge")
    yield from at_most_all(rolling.get("maxUnavailable"), path / "maxUnavailable")


def go_strategy(strategy: Obj) -> Obj:
    """Print a strategy with the names of Go's fields, as messages show it."""
    rolling = strategy.get("rollingUpdate")
    if rolling is not None:
        names = ("maxUnavailable", "maxSurge")
        rolling = {name[0].upper() + name[1:]: rolling.get(name) or 0 for name in names}
    return {"Type": strategy.get("type") or "", "RollingUpdate": rolling}


def is_zero(value: Any) -> bool:
    return value == 0 or percentage(value) == 0


def cannot_move(rolling: Obj, path: Path) -> FieldError:
    """Return the error of an update that may neither add a pod nor take one away."""
    return invalid(
        path / "maxUnavailable",
        rolling.get("maxUnavailable"),
        "may not be 0 when `maxSurge` is 0",
    )
