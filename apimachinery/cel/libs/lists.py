"""Kubernetes' functions for lists of what can be ordered or added."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from apimachinery.cel.errors import EvalError, NoOverload
from apimachinery.cel.functions import Overload, function
from apimachinery.cel.times import duration
from apimachinery.cel.values import Duration, UInt, compare, equal, int64, uint64

_ORDERED = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")


def _is_sorted(elements: list[Any]) -> bool:
    return all(compare(a, b) <= 0 for a, b in pairwise(elements))


def _extreme(sign: int, name: str) -> Callable[[list[Any]], Any]:
    def extreme(elements: list[Any]) -> Any:
        if not elements:
            raise EvalError(f"{name} called on empty list")
        found = elements[0]
        for each in elements[1:]:
            if compare(each, found) * sign > 0:
                found = each
        return found

    return extreme


def _sum(zero: Any) -> Callable[[list[Any]], Any]:
    def total(elements: list[Any]) -> Any:
        found = zero
        for each in elements:
            found = _plus(found, each)
        return found

    return total


def _plus(a: Any, b: Any) -> Any:
    if type(a) is not type(b):
        raise NoOverload
    if isinstance(a, Duration):
        return duration(a.ns + b.ns)
    if isinstance(a, UInt):
        return uint64(a + b)
    return a + b if isinstance(a, float) else int64(a + b)


def _total(elements: list[Any]) -> Any:
    """Add up elements of a type that only they tell."""
    if not elements:
        return 0
    zero: Any = {int: 0, UInt: UInt(0), float: 0.0, Duration: Duration(0)}.get(type(elements[0]))
    if zero is None:
        raise NoOverload
    return _sum(zero)(elements)


def _index_of(elements: list[Any], wanted: Any) -> int:
    return next((at for at, each in enumerate(elements) if equal(each, wanted)), -1)


def _last_index_of(elements: list[Any], wanted: Any) -> int:
    found = _index_of(elements[::-1], wanted)
    return len(elements) - 1 - found if found >= 0 else -1


LISTS: list[Overload] = [
    *[function(f"list({kind}).isSorted() -> bool", _is_sorted) for kind in _ORDERED],
    *[
        function(f"list({kind}).{name}() -> {kind}", _extreme(sign, name))
        for kind in _ORDERED
        for name, sign in (("min", -1), ("max", 1))
    ],
    *[
        function(f"list({kind}).sum() -> {kind}", _total)
        for kind in ("int", "uint", "double", "duration")
    ],
    function("list(A).indexOf(A) -> int", _index_of),
    function("list(A).lastIndexOf(A) -> int", _last_index_of),
]
