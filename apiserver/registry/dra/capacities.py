"""Capacities of devices that several claims share, and how much of them may be asked for."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.quantity import ZERO, Quantity, parse
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, required
from apiserver.registry.dra.lists import each_once
from apiserver.registry.podspec.checks import NEGATIVE, NOT_POSITIVE

_MOST_OPTIONS = 10
_LARGEST = 2**63 - 1


def shared_capacity_errors(capacity: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a capacity of a device that may be allocated several times."""
    policy, path = capacity.get("requestPolicy"), path / "requestPolicy"
    if policy is None:
        return
    total, default = parse(capacity.get("value") or "0"), policy.get("default")
    values, allowed = policy.get("validValues") or [], policy.get("validRange")
    if values and allowed is not None:
        why = (
            'exactly one policy can be specified, cannot specify "validValues" and '
            '"validRange" at the same time'
        )
        yield forbidden(path, why)
        return
    name = "validValues" if values else "validRange"
    if not values and allowed is None:
        return
    if default is None:
        yield required(path / "default", f"required when {name} is defined")
    elif values:
        yield from _value_errors(parse(default), total, values, path / name)
    else:
        yield from _range_errors(parse(default), total, allowed or {}, path / name)


def own_capacity_errors(capacity: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a capacity of a device that one claim has for itself."""
    if capacity.get("requestPolicy") is not None:
        yield forbidden(path / "requestPolicy", "allowMultipleAllocations must be true")


def _value_errors(default: Quantity, total: Quantity, values: list[str], path: Path) -> FieldErrors:
    amounts = [parse(value) for value in values]
    for at in range(1, len(amounts)):
        if amounts[at - 1] > amounts[at]:
            yield invalid(path[at], str(amounts[at]), "values must be sorted in ascending order")

    def rule(amount: Quantity, where: Path) -> FieldErrors:
        if amount > total:
            yield invalid(where, str(amount), f"option is larger than capacity value: {total}")

    yield from each_once(amounts, _MOST_OPTIONS, path, rule, lambda amount: str(amount.value()))
    if len(amounts) > _MOST_OPTIONS or default not in amounts:
        why = "default value is not valid according to the requestPolicy"
        yield invalid(path, str(default), why)


def _range_errors(default: Quantity, total: Quantity, allowed: Obj, path: Path) -> FieldErrors:
    if allowed.get("min") is None:
        yield required(path / "min", "required when validRange is defined")
        return
    least = parse(allowed["min"])
    most = None if allowed.get("max") is None else parse(allowed["max"])
    if least > total:
        yield invalid(path / "min", str(least), f"min is larger than capacity value: {total}")
    if default < least:
        yield invalid(path / "default", str(default), f"default is less than min: {least}")
    if most is not None:
        yield from _most_errors(default, total, least, most, path)
    if allowed.get("step") is not None:
        step = parse(allowed["step"])
        yield from _step_errors(default, total, (least, most, step), path)


def _most_errors(
    default: Quantity, total: Quantity, least: Quantity, most: Quantity, path: Path
) -> FieldErrors:
    if least > most:
        yield invalid(path / "max", str(least), f"min is larger than max: {most}")
    if most > total:
        yield invalid(path / "max", str(most), f"max is larger than capacity value: {total}")
    if default > most:
        yield invalid(path / "default", str(default), f"default is more than max: {most}")


def _step_errors(
    default: Quantity,
    total: Quantity,
    bounds: tuple[Quantity, Quantity | None, Quantity],
    path: Path,
) -> FieldErrors:
    least, most, step = bounds
    if step <= ZERO:
        yield invalid(path / "step", str(step), NOT_POSITIVE)
        return
    first = least + step
    if first > total:
        why = f"one step {first} is larger than capacity value: {total}"
        yield invalid(path / "step", str(step), why)
    known = {"default": default, "min": least, "max": most, "step": step}
    wrong = [error for name, value in known.items() for error in _int64_errors(value, path / name)]
    yield from wrong
    for value in (default, most) if not wrong else ():
        if value is not None and (value.value() - least.value()) % step.value():
            why = f"value is not a multiple of a given step ({step}) from ({least})"
            yield invalid(path / "step", str(value), why)


def _int64_errors(value: Quantity | None, path: Path) -> FieldErrors:
    if value is None:
        return
    if value < ZERO:
        yield invalid(path, str(value), NEGATIVE)
    elif value.value() > _LARGEST:
        yield invalid(path, str(value), f"must not be larger than {_LARGEST}")
