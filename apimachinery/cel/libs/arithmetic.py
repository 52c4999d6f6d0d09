"""The operators: what they take. Comparisons and logic run as closures of `operators`."""

from __future__ import annotations

import math
from typing import Any

from apimachinery.cel.errors import EvalError
from apimachinery.cel.functions import Overload, function
from apimachinery.cel.times import duration, timestamp
from apimachinery.cel.values import (
    MapList,
    SetList,
    UInt,
    equal,
    int64,
    uint64,
)


def _closure(*args: Any) -> Any:
    """Stand in for an operator that never is called: it has a closure of its own."""
    raise AssertionError(args)


_ORDERED = ("bool", "string", "bytes", "timestamp", "duration")
_NUMBERS = ("int", "uint", "double")


def _comparisons() -> list[Overload]:
    found = []
    for sign in ("_<_", "_<=_", "_>_", "_>=_"):
        pairs = [(each, each) for each in _ORDERED]
        pairs += [(a, b) for a in _NUMBERS for b in _NUMBERS]
        found += [_operator(sign, f"{a}, {b}", "bool") for a, b in pairs]
    return found


def _operator(sign: str, args: str, result: str, run: Any = _closure) -> Overload:
    made = function(f"op({args}) -> {result}", run)
    return Overload(sign, made.params, made.result, member=False, run=run)


def _int_divide(a: int, b: int) -> int:
    if b == 0:
        raise EvalError("division by zero")
    whole = abs(a) // abs(b)
    return int64(whole if (a < 0) == (b < 0) else -whole)


def _int_modulo(a: int, b: int) -> int:
    if b == 0:
        raise EvalError("modulus by zero")
    rest = abs(a) % abs(b)
    return -rest if a < 0 else rest


def _uint_divide(a: int, b: int) -> UInt:
    if b == 0:
        raise EvalError("division by zero")
    return UInt(a // b)


def _uint_modulo(a: int, b: int) -> UInt:
    if b == 0:
        raise EvalError("modulus by zero")
    return UInt(a % b)


def _divide(a: float, b: float) -> float:
    if b:
        return a / b
    if not a or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1, b)


def _times(a: float, b: float) -> float:
    return a * b


def _concatenate(a: Any, b: Any) -> Any:
    return a + b


def _add_lists(a: list[Any], b: list[Any]) -> list[Any]:
    """Add as the schema's list type says: a set takes what is new, a map replaces by key."""
    if isinstance(a, SetList):
        return SetList([*a, *(each for each in b if not any(equal(each, mine) for mine in a))])
    if isinstance(a, MapList):
        newer = {a.key_of(each): each for each in b}
        kept = [newer.pop(a.key_of(each), each) for each in a]
        return MapList([*kept, *newer.values()], a.keys)
    return a + b


ARITHMETIC: list[Overload] = [
    *_comparisons(),
    _operator("_==_", "A, A", "bool"),
    _operator("_!=_", "A, A", "bool"),
    _operator("_&&_", "bool, bool", "bool"),
    _operator("_||_", "bool, bool", "bool"),
    _operator("!_", "bool", "bool"),
    _operator("_?_:_", "bool, A, A", "A"),
    _operator("@in", "A, list(A)", "bool"),
    _operator("@in", "A, map(A, B)", "bool"),
    _operator("_[_]", "list(A), int", "A"),
    _operator("_[_]", "map(A, B), A", "B"),
    _operator("_[?_]", "list(A), int", "optional(A)"),
    _operator("_[?_]", "map(A, B), A", "optional(B)"),
    _operator("_[?_]", "optional(list(A)), int", "optional(A)"),
    _operator("_[?_]", "optional(map(A, B)), A", "optional(B)"),
    _operator("_+_", "int, int", "int", lambda a, b: int64(a + b)),
    _operator("_+_", "uint, uint", "uint", lambda a, b: uint64(a + b)),
    _operator("_+_", "double, double", "double", _concatenate),
    _operator("_+_", "string, string", "string", _concatenate),
    _operator("_+_", "bytes, bytes", "bytes", _concatenate),
    _operator("_+_", "list(A), list(A)", "list(A)", _add_lists),
    _operator("_+_", "duration, duration", "duration", lambda a, b: duration(a.ns + b.ns)),
    _operator("_+_", "timestamp, duration", "timestamp", lambda a, b: timestamp(a.ns + b.ns)),
    _operator("_+_", "duration, timestamp", "timestamp", lambda a, b: timestamp(a.ns + b.ns)),
    _operator("_-_", "int, int", "int", lambda a, b: int64(a - b)),
    _operator("_-_", "uint, uint", "uint", lambda a, b: uint64(a - b)),
    _operator("_-_", "double, double", "double", lambda a, b: a - b),
    _operator("_-_", "timestamp, timestamp", "duration", lambda a, b: duration(a.ns - b.ns)),
    _operator("_-_", "timestamp, duration", "timestamp", lambda a, b: timestamp(a.ns - b.ns)),
    _operator("_-_", "duration, duration", "duration", lambda a, b: duration(a.ns - b.ns)),
    _operator("_*_", "int, int", "int", lambda a, b: int64(a * b)),
    _operator("_*_", "uint, uint", "uint", lambda a, b: uint64(a * b)),
    _operator("_*_", "double, double", "double", _times),
    _operator("_/_", "int, int", "int", _int_divide),
    _operator("_/_", "uint, uint", "uint", _uint_divide),
    _operator("_/_", "double, double", "double", _divide),
    _operator("_%_", "int, int", "int", _int_modulo),
    _operator("_%_", "uint, uint", "uint", _uint_modulo),
    _operator("-_", "int", "int", lambda a: int64(-a)),
    _operator("-_", "double", "double", lambda a: -a),
]
