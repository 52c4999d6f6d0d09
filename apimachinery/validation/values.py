"""Rules for single values that many kinds share: ranges, enums, percentages, immutability.

Each takes the path of the value and the value, and yields the errors in Kubernetes' words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apimachinery.validation import names
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    invalid,
    not_supported,
)

NEGATIVE = "must be greater than or equal to 0"
IMMUTABLE = "field is immutable"


def nonnegative(path: Path, value: int | None) -> FieldErrors:
    if value is not None and value < 0:
        yield invalid(path, value, NEGATIVE)


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
