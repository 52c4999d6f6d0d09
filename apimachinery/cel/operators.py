"""Operators whose operands are not all evaluated, or that are worth a closure of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apimachinery.cel import costs
from apimachinery.cel.errors import CostExceeded, EvalError, NoOverload
from apimachinery.cel.values import (
    NOTHING,
    Lazy,
    Opt,
    UInt,
    compare,
    contains,
    double_text,
    equal,
)

Run = Callable[[list[Any]], Any]


def paid(run: Run, cost: int) -> Run:
    """Return a part that is paid for where it is run: not every run comes to it."""
    if not cost:
        return run

    def paying(frame: list[Any]) -> Any:
        budget = frame[0]
        budget.left -= cost
        if budget.left < 0:
            raise CostExceeded
        return run(frame)

    return paying


def both(left: Run, right: Run) -> Run:
    """Return `left && right`; an error on one side is no error where the other is false."""

    def conjunction(frame: list[Any]) -> Any:
        try:
            first = left(frame)
        except EvalError:
            if right(frame) is False:
                return False
            raise
        if first is False:
            return False
        second = right(frame)
        if first is True and isinstance(second, bool):
            return second
        if second is False:
            return False
        raise NoOverload

    return conjunction


def either(left: Run, right: Run) -> Run:
    """Return `left || right`; an error on one side is no error where the other is true."""

    def disjunction(frame: list[Any]) -> Any:
        try:
            first = left(frame)
        except EvalError:
            if right(frame) is True:
                return True
            raise
        if first is True:
            return True
        second = right(frame)
        if first is False and isinstance(second, bool):
            return second
        if second is True:
            return True
        raise NoOverload

    return disjunction


def condition(test: Run, then: Run, other: Run) -> Run:
    """Return `test ? then : other`."""

    def chosen(frame: list[Any]) -> Any:
        value = test(frame)
        if value is True:
            return then(frame)
        if value is False:
            return other(frame)
        raise NoOverload

    return chosen


def _not(operand: Run) -> Run:
    def negated(frame: list[Any]) -> Any:
        value = operand(frame)
        if not isinstance(value, bool):
            raise NoOverload
        return not value

    return negated


def _equals(left: Run, right: Run) -> Run:
    def same(frame: list[Any]) -> Any:
        a, b = left(frame), right(frame)
        if type(a) is str and type(b) is str:
            shorter = min(len(b), len(a))
            if shorter > _TENTH or not shorter:
                frame[0].spend(costs.tenth(shorter) - 1)
            return a == b
        if type(a) not in _PLAIN and isinstance(a, _SIZED) and isinstance(b, _SIZED):
            frame[0].spend(costs.of_pair(a, b) - 1)
            frame[0].work(costs.weight(a))
        return equal(a, b)

    return same


def _differs(left: Run, right: Run) -> Run:
    same = _equals(left, right)
    return lambda frame: not same(frame)


# What every operator pays is the cost of a text of this length, or of a number.
_TENTH = 10
_SIZED = (str, bytes, list, dict)
_PLAIN = (int, bool, float, type(None))


def _ordered(holds: Callable[[int], bool]) -> Callable[[Run, Run], Run]:
    def make(left: Run, right: Run) -> Run:
        def ordered(frame: list[Any]) -> Any:
            a, b = left(frame), right(frame)
            if (type(a) is str or type(a) is bytes) and type(b) is type(a):
                frame[0].spend(costs.of_pair(a, b) - 1)
            return holds(compare(a, b))

        return ordered

    return make


def _within(left: Run, right: Run) -> Run:
    def within(frame: list[Any]) -> Any:
        wanted, elements = left(frame), right(frame)
        if isinstance(elements, list):
            frame[0].spend(len(elements) - 1)
            if isinstance(wanted, (list, dict)):
                frame[0].work(costs.weight(elements))
        return contains(elements, wanted)

    return within


def among(left: Run, right: Run) -> Run:
    """Return `left in right` for a list that is written out, which costs nothing."""
    return lambda frame: contains(right(frame), left(frame))


def map_key(key: Any) -> Any:
    """Return a key under which equal numbers find each other. Raises EvalError."""
    if type(key) is float:
        if not key.is_integer():
            raise EvalError(f"no such key: {double_text(key)}")
        return int(key)
    if isinstance(key, (str, bool, int)):
        return key
    raise NoOverload


_MISSING = object()


def _at(value: Any, key: Any) -> Any:
    """Return an element, `_MISSING` where there is none."""
    if isinstance(value, dict):
        return value.get(map_key(key), _MISSING)
    if isinstance(value, list):
        if type(key) is float and key.is_integer():
            key = int(key)
        if type(key) not in (int, UInt):
            raise EvalError("unsupported index type in list")
        return value[key] if 0 <= key < len(value) else _MISSING
    if isinstance(value, Lazy):
        try:
            return value.find(key)
        except KeyError:
            return _MISSING
    raise NoOverload


def _index(target: Run, key: Run) -> Run:
    def element(frame: list[Any]) -> Any:
        value, at = target(frame), key(frame)
        if isinstance(value, Opt):
            return _through(value, at)
        found = _at(value, at)
        if found is _MISSING:
            if isinstance(value, list):
                raise EvalError(f"index out of bounds: {at}")
            raise EvalError(f"no such key: {_shown(at)}")
        return found

    return element


def _shown(key: Any) -> str:
    return ("true" if key else "false") if isinstance(key, bool) else str(key)


def _through(value: Opt, key: Any) -> Opt:
    if not value.present:
        return NOTHING
    found = _at(value.value, key)
    return NOTHING if found is _MISSING else Opt(found)


def _optional_index(target: Run, key: Run) -> Run:
    def element(frame: list[Any]) -> Any:
        value = target(frame)
        return _through(value if isinstance(value, Opt) else Opt(value), key(frame))

    return element


# Each of these costs 1 besides its operands, and more by what these are.
SPECIAL: Mapping[str, Callable[..., Run]] = {
    "!_": _not,
    "_==_": _equals,
    "_!=_": _differs,
    "_<_": _ordered(lambda order: order < 0),
    "_<=_": _ordered(lambda order: order <= 0),
    "_>_": _ordered(lambda order: order > 0),
    "_>=_": _ordered(lambda order: order >= 0),
    "@in": _within,
}
INDEX: Mapping[str, Callable[[Run, Run], Run]] = {"_[_]": _index, "_[?_]": _optional_index}
