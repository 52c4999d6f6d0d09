"""Small rules that many kinds share, as generators of field errors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from apimachinery.meta import Obj
from apimachinery.quantity import ZERO, parse
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported, required
from apimachinery.validation.names import is_percent

NEGATIVE = "must be greater than or equal to 0"
NOT_POSITIVE = "must be greater than zero"
IMMUTABLE = "field is immutable"
INT32_MAX = 2**31 - 1


def obey(rule: Callable[[str], list[str]], value: str, path: Path) -> FieldErrors:
    """Yield what a rule for names says about a value."""
    for message in rule(value):
        yield invalid(path, value, message)


def name_or_required(rule: Callable[[str], list[str]], value: str, path: Path) -> FieldErrors:
    """Yield that a value is missing, or what a rule says about it."""
    if not value:
        yield required(path)
    else:
        yield from obey(rule, value, path)


def nonnegative(value: int | None, path: Path) -> FieldErrors:
    if value is not None and value < 0:
        yield invalid(path, value, NEGATIVE)


def nonnegative_fields(obj: Obj, names: Iterable[str], path: Path) -> FieldErrors:
    """Yield which of an object's numbers are negative, in the order of `names`."""
    for name in names:
        value = obj.get(name)
        if value is not None and value < 0:
            yield invalid(path / name, value, NEGATIVE)


def nonnegative_quantity(amount: Any, path: Path) -> FieldErrors:
    if parse(amount) < ZERO:
        yield invalid(path, str(amount), NEGATIVE)


def number_or_percent_errors(value: Any, path: Path) -> FieldErrors:
    """Yield that a value is neither a number from 0 on nor a percentage."""
    if isinstance(value, str):
        yield from obey(is_percent, value, path)
    else:
        yield from nonnegative(value, path)


def at_most_all(value: Any, path: Path) -> FieldErrors:
    """Yield that a percentage is more than everything."""
    percent = percentage(value)
    if percent is not None and percent > 100:
        yield invalid(path, value, "must not be greater than 100%")


def percentage(value: Any) -> int | None:
    """Return the number of a percentage, None for anything else."""
    return int(value[:-1]) if isinstance(value, str) and not is_percent(value) else None


def immutable(new: Any, old: Any, path: Path) -> FieldErrors:
    if new != old:
        yield invalid(path, new, IMMUTABLE)


def one_of(value: Any, allowed: Collection[str], path: Path) -> FieldErrors:
    """Yield that a value is not among those allowed; they are shown in the order given."""
    if value not in allowed:
        yield not_supported(path, value, allowed)


def one_of_required(value: Any, allowed: Collection[str], path: Path) -> FieldErrors:
    """As `one_of`, but the empty value is "required"."""
    if not value:
        yield required(path)
    elif value not in allowed:
        yield not_supported(path, value, allowed)


def decremented(new: int | None, old: int | None) -> bool:
    """Tell whether a counter that may only grow went down or away."""
    return old is not None and (new is None or new < old)
