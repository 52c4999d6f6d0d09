"""What is wrong with the node affinity that a profile adds to its pods."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported
from apimachinery.validation.names import is_label_value, is_qualified_name

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_FIELD_OPERATORS = ("In", "NotIn")
_OPERATORS = (*_FIELD_OPERATORS, "Exists", "DoesNotExist", "Gt", "Lt")
_INTEGER = re.compile(r"[+-]?[0-9]+")

Term = Mapping[str, Any]


def errors(affinity: Mapping[str, Any], path: Path) -> FieldErrors:
    """Yield what is wrong; terms that select nothing, or count for nothing, are not looked at."""
    required, where = affinity.get(_REQUIRED) or {}, path / _REQUIRED / "nodeSelectorTerms"
    for at, term in enumerate(required.get("nodeSelectorTerms") or ()):
        yield from _term(term, where[at])
    for at, one in enumerate(affinity.get(_PREFERRED) or ()):
        if one.get("weight"):
            yield from _term(one.get("preference") or {}, (path / _PREFERRED)[at])


def _term(term: Term, path: Path) -> FieldErrors:
    for at, one in enumerate(term.get("matchExpressions") or ()):
        yield from _expression(one, (path / "matchExpressions")[at])
    for at, one in enumerate(term.get("matchFields") or ()):
        where, operator = (path / "matchFields")[at], one.get("operator") or ""
        values = one.get("values") or []
        if operator not in _FIELD_OPERATORS:
            yield not_supported(where / "operator", operator, _FIELD_OPERATORS)
        elif len(values) != 1:
            yield invalid(where / "values", values, "must have one element")


def _expression(one: Term, path: Path) -> FieldErrors:
    key, operator, values = one.get("key") or "", one.get("operator") or "", one.get("values") or []
    if operator not in _OPERATORS:
        yield not_supported(path / "operator", operator, _OPERATORS)
        return
    if why := is_qualified_name(key):
        yield invalid(path / "key", key, "; ".join(why))
    where = path / "values"
    yield from _values(operator, values, where)
    for at, value in enumerate(values):
        if why := is_label_value(value):
            yield invalid(where[at].key(key), value, "; ".join(why))


def _values(operator: str, values: Sequence[str], path: Path) -> FieldErrors:
    if operator in ("In", "NotIn") and not values:
        yield invalid(path, values, "for 'in', 'notin' operators, values set can't be empty")
    elif operator in ("Exists", "DoesNotExist") and values:
        yield invalid(path, values, "values set must be empty for exists and does not exist")
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            detail = "for 'Gt', 'Lt' operators, exactly one value is required"
            yield invalid(path, values, detail)
        elif not _INTEGER.fullmatch(values[0]):
            detail = "for 'Gt', 'Lt' operators, the value must be an integer"
            yield invalid(path[0], values[0], detail)
