"""Rules for single values that many kinds share: ranges, enums, percentages, immutability.

Each takes the path of the value and the value, and yields the errors in Kubernetes' words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apimachinery import quantity
from apimachinery.validation import names
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    invalid,
    not_supported,
    required,
)

NEGATIVE = "must be greater than or equal to 0"
NOT_POSITIVE = "must be greater than zero"
IMMUTABLE = "field is immutable"


def nonnegative(path: Path, value: int | None) -> FieldErrors:
    if value is not None and value < 0:
        yield invalid(path, value, NEGATIVE)


def positive(path: Path, value: int | None) -> FieldErrors:
    if value is not None and value <= 0:
        yield invalid(path, value, NOT_POSITIVE)


def in_range(path: Path, value: int, low: int, high: int) -> FieldErrors:
    for message in names.in_range(value, low, high):
        yield invalid(path, value, message)


def port_number(path: Path, value: int) -> FieldErrors:
    yield from in_range(path, value, 1, 65535)


def immutable(path: Path, new: Any, old: Any) -> FieldErrors:
    """Refuse a change; null, "", [] and {} count as the same absence."""
    if new != old and (new or old or isinstance(new, int) or isinstance(old, int)):
        yield invalid(path, new, IMMUTABLE)


def matches(path: Path, value: str, rule: names.Rule) -> FieldErrors:
    """Report what a rule of `names` says about the value."""
    for message in rule(value):
        yield invalid(path, value, message)


def one_of(path: Path, value: str, supported: Iterable[str]) -> FieldErrors:
    """Refuse a word that is not in the list; the list is shown in the order given."""
    words = list(supported)
    if value not in words:
        yield not_supported(path, value, words)


def required_text(path: Path, value: str | None, detail: str = "") -> FieldErrors:
    if not value:
        yield required(path, detail)


def int_or_percent(path: Path, value: int | str) -> FieldErrors:
    """Accept a number from 0 on, or a percentage."""
    if isinstance(value, str):
        yield from matches(path, value, names.is_percent)
    else:
        yield from nonnegative(path, value)


def at_most_100_percent(path: Path, value: int | str) -> FieldErrors:
    if isinstance(value, str) and not names.is_percent(value) and int(value[:-1]) > 100:
        yield invalid(path, value, "must not be greater than 100%")


def nonnegative_quantity(path: Path, value: Any) -> FieldErrors:
    if quantity.parse(value).nano < 0:
        yield invalid(path, quantity.canonical(value), NEGATIVE)


def positive_quantity(path: Path, value: Any) -> FieldErrors:
    if quantity.parse(value).nano <= 0:
        yield invalid(path, quantity.canonical(value), NOT_POSITIVE)
