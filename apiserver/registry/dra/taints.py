"""Taints of devices and what tolerates them; conditions that have to hold before pods bind."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    invalid,
    not_supported,
    repeats,
)
from apiserver.registry.dra.lists import each, label_name_errors, label_value_errors
from apiserver.registry.podspec.checks import one_of_required
from apiserver.registry.strategy import StrategyContext

_EFFECTS = ("NoExecute", "NoSchedule", "None")
_OPERATORS = ("Equal", "Exists")
_MOST_CONDITIONS = 4


def taint_errors(taint: Obj, path: Path) -> FieldErrors:
    yield from label_name_errors(taint.get("key") or "", path / "key")
    if taint.get("value"):
        yield from label_value_errors(taint["value"], path / "value")
    yield from one_of_required(taint.get("effect"), _EFFECTS, path / "effect")


def stamp(taint: Obj, ctx: StrategyContext) -> None:
    """Say since when there is a taint, where nobody did."""
    if not taint.get("timeAdded"):
        taint["timeAdded"] = ctx.clock.timestamp()


def toleration_errors(tolerations: Sequence[Obj], path: Path) -> FieldErrors:
    for at, toleration in enumerate(tolerations):
        yield from _toleration_errors(toleration, path[at])


def _toleration_errors(toleration: Obj, path: Path) -> FieldErrors:
    if toleration.get("key"):
        yield from label_name_errors(toleration["key"], path / "key")
    operator, value = toleration.get("operator") or "", toleration.get("value") or ""
    if operator == "Exists":
        if value:
            yield invalid(path / "value", value, "must be empty for operator `Exists`")
    elif operator == "Equal":
        yield from label_value_errors(value, path / "value")
    else:
        yield from one_of_required(operator, _OPERATORS, path / "operator")
    effect = toleration.get("effect") or ""
    if effect and effect not in _EFFECTS:
        yield not_supported(path / "effect", effect, _EFFECTS)


def binding_errors(item: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with the conditions for binding of a device or an allocation."""
    good, bad = item.get("bindingConditions") or [], item.get("bindingFailureConditions") or []
    here, there = path / "bindingConditions", path / "bindingFailureConditions"
    yield from each(good, _MOST_CONDITIONS, here, label_name_errors)
    yield from each(bad, _MOST_CONDITIONS, there, label_name_errors)
    again = repeats(good)
    for at, one in enumerate(good):
        if at in again:
            yield duplicate(here[at], one)
    again, wanted = repeats(bad), set(good)
    for at, one in enumerate(bad):
        if at in again:
            yield duplicate(there[at], one)
        if one in wanted:
            why = "bindingFailureConditions must not overlap with bindingConditions"
            yield invalid(there[at], one, why)
    if bad and not good:
        why = "bindingConditions are required to use bindingFailureConditions"
        yield invalid(here, None, why)
    if good and not bad:
        why = "bindingFailureConditions are required to use bindingConditions"
        yield invalid(there, None, why)
