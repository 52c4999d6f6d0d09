"""Values that may be missing."""

from __future__ import annotations

from typing import Any

from apimachinery.cel.errors import EvalError
from apimachinery.cel.functions import Overload, function
from apimachinery.cel.values import NOTHING, Duration, Opt, Timestamp


def _of_non_zero(value: Any) -> Opt:
    if isinstance(value, Duration) and not value.ns:
        return NOTHING
    if isinstance(value, Timestamp):
        return Opt(value)
    return Opt(value) if value else NOTHING


def _value(found: Opt) -> Any:
    if not found.present:
        raise EvalError("optional.none() dereference")
    return found.value


def _unwrap(elements: list[Opt]) -> list[Any]:
    return [each.value for each in elements if each.present]


OPTIONALS: list[Overload] = [
    function("list(A).first() -> optional(A)", lambda some: Opt(some[0]) if some else NOTHING),
    function("list(A).last() -> optional(A)", lambda some: Opt(some[-1]) if some else NOTHING),
    function("optional.unwrap(list(optional(A))) -> list(A)", _unwrap),
    function("list(optional(A)).unwrapOpt() -> list(A)", _unwrap),
    function("optional.of(A) -> optional(A)", Opt),
    function("optional.ofNonZeroValue(A) -> optional(A)", _of_non_zero),
    function("optional.none() -> optional(A)", lambda: NOTHING),
    function("optional(A).hasValue() -> bool", lambda found: found.present),
    function("optional(A).value() -> A", _value),
    function("optional(A).or(optional(A)) -> optional(A)", lambda a, b: a if a.present else b),
    function("optional(A).orValue(A) -> A", lambda a, b: a.value if a.present else b),
]
