"""CEL's own functions that make a list of another one."""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

from apimachinery.cel.errors import EvalError
from apimachinery.cel.functions import Overload, function
from apimachinery.cel.values import Duration, Timestamp, UInt, compare, equal

ORDERED = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")
_COMPARABLE = (int, UInt, float, bool, Duration, Timestamp, str, bytes)
_MAX_RANGE = 10_000_000


def _slice(elements: list[Any], start: int, end: int) -> list[Any]:
    call = f"cannot slice({start}, {end})"
    if start < 0 or end < 0:
        raise EvalError(f"{call}, negative indexes not supported")
    if start > end:
        raise EvalError(f"{call}, start index must be less than or equal to end index")
    if len(elements) < end:
        raise EvalError(f"{call}, list is length {len(elements)}")
    return list(elements[start:end])


def _flatten(elements: list[Any], level: int = 1) -> list[Any]:
    if level < 0:
        raise EvalError("level must be non-negative")
    found = list(elements)
    while level and any(isinstance(each, list) for each in found):
        found = [inner for each in found for inner in (each if isinstance(each, list) else [each])]
        level -= 1
    return found


def _sorted_by(elements: list[Any], keys: list[Any]) -> list[Any]:
    if len(elements) != len(keys):
        raise EvalError(
            "@sortByAssociatedKeys() expected a list of the same size as the associated keys "
            f"list, but got {len(elements)} and {len(keys)} elements respectively"
        )
    if not elements:
        return elements
    if type(keys[0]) not in _COMPARABLE:
        raise EvalError("list elements must be comparable")
    if any(type(key) is not type(keys[0]) for key in keys):
        raise EvalError("list elements must have the same type")
    by_key = cmp_to_key(compare)
    order = sorted(range(len(elements)), key=lambda at: by_key(keys[at]))
    return [elements[at] for at in order]


def _range(size: int) -> list[int]:
    if size < 0:
        raise EvalError(f"lists.range: size must be non-negative, got {size}")
    if size > _MAX_RANGE:
        raise EvalError(f"lists.range: size {size} exceeds maximum allowed ({_MAX_RANGE})")
    return list(range(size))


def _distinct(elements: list[Any]) -> list[Any]:
    found = list[Any]()
    for each in elements:
        if not any(equal(each, other) for other in found):
            found.append(each)
    return found


LIST_CHANGES: list[Overload] = [
    function("list(A).slice(int, int) -> list(A)", _slice),
    function("list(list(A)).flatten() -> list(A)", _flatten),
    function("list(dyn).flatten(int) -> list(dyn)", _flatten),
    *[
        function(f"list({kind}).sort() -> list({kind})", lambda keys: _sorted_by(keys, keys))
        for kind in ORDERED
    ],
    *[
        function(f"list(A).@sortByAssociatedKeys(list({kind})) -> list(A)", _sorted_by)
        for kind in ORDERED
    ],
    function("lists.range(int) -> list(int)", _range),
    function("list(A).reverse() -> list(A)", lambda elements: list(elements[::-1])),
    function("list(A).distinct() -> list(A)", _distinct),
]
