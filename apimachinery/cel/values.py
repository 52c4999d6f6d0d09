"""Values while an expression runs: Python's own where they behave alike, and a few of ours.

null, bool, string, bytes, double, list and map are None, bool, str, bytes, float, list and dict;
int is int within 64 bits. uint, timestamp, duration and optional have classes here. Lists that a
schema declares as sets or maps know it, since they compare and add in their own way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apimachinery.cel.errors import EvalError, NoOverload
from apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
    list_of,
    map_of,
    opaque,
    optional_of,
    type_of_type,
)

INT_MAX = 2**63 - 1
INT_MIN = -(2**63)
UINT_MAX = 2**64 - 1
SECOND = 10**9


class UInt(int):
    """A uint."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A moment: billionths of a second since the Unix epoch, in UTC."""

    ns: int


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time in billionths of a second."""

    ns: int


@dataclass(frozen=True, slots=True)
class Opt:
    """An optional value; `NOTHING` is the one without."""

    value: Any
    present: bool = True


NOTHING = Opt(None, present=False)


class SetList(list[Any]):
    """A list whose order does not matter, and that holds each element once."""


class MapList(list[Any]):
    """A list of objects that are told apart by some of their fields."""

    def __init__(self, elements: Sequence[Any], keys: Sequence[str]) -> None:
        super().__init__(elements)
        self.keys = tuple(keys)

    def key_of(self, element: Any) -> tuple[Any, ...]:
        return tuple(element.get(key) if isinstance(element, dict) else None for key in self.keys)


class Opaque:
    """A value of a library: its type's name, and nothing that CEL itself looks into."""

    __slots__ = ()
    type_name = ""


class Struct(dict[str, Any]):
    """An object that an expression has written out, by the name of its type."""

    def __init__(self, name: str, fields: dict[str, Any]) -> None:
        super().__init__(fields)
        self.name = name


class Lazy:
    """Fields that are worked out when they are first asked for."""

    __slots__ = ()

    def find(self, name: str) -> Any:
        """Return a field. Raises EvalError, KeyError where there is none."""
        raise NotImplementedError(name)


_NUMBERS = (int, float, UInt)
_PLAIN = (str, bool, int, UInt, bytes, type(None), float, Timestamp, Duration, Type)


def equal(a: Any, b: Any) -> bool:
    """Tell whether two values are equal; numbers compare by value, other types never mix."""
    kind = type(a)
    if kind is type(b) and kind in _PLAIN:
        return bool(a == b)
    if kind in _NUMBERS:
        return type(b) in _NUMBERS and bool(a == b)
    if isinstance(a, list):
        return isinstance(b, list) and _equal_lists(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and _equal_maps(a, b)
    if isinstance(a, Opt):
        if not isinstance(b, Opt) or a.present != b.present:
            return False
        return not a.present or equal(a.value, b.value)
    if isinstance(a, Opaque):
        return type(a) is type(b) and bool(a == b)
    return False


def _equal_lists(a: list[Any], b: list[Any]) -> bool:
    if len(a) != len(b):
        return False
    if isinstance(a, SetList):
        return all(contains(b, element) for element in a)
    if isinstance(a, MapList):
        return all(any(equal(mine, other) for other in b) for mine in a)
    return all(map(equal, a, b))


def _equal_maps(a: dict[Any, Any], b: dict[Any, Any]) -> bool:
    if len(a) != len(b):
        return False
    return all(key in b and equal(value, b[key]) for key, value in a.items())


def contains(elements: Any, wanted: Any) -> bool:
    """Tell whether a list holds an element, or a map a key."""
    if isinstance(elements, dict):
        return type(wanted) in (str, int, UInt, bool, float) and wanted in elements
    if isinstance(elements, list):
        if type(wanted) is str:
            return wanted in elements
        return any(equal(each, wanted) for each in elements)
    raise NoOverload


def compare(a: Any, b: Any) -> int:
    """Return -1, 0 or 1. Raises NoOverload for what has no order."""
    kind, other = type(a), type(b)
    if kind in _NUMBERS:
        if other not in _NUMBERS:
            raise NoOverload
        if a != a or b != b:  # noqa: PLR0124 -- not a number
            raise EvalError("NaN values cannot be ordered")
    elif kind is not other or kind not in (str, bytes, bool, Timestamp, Duration):
        raise NoOverload
    return int(a > b) - int(a < b)


def int64(value: int) -> int:
    """Return a whole number that is within an int. Raises EvalError."""
    if not INT_MIN <= value <= INT_MAX:
        raise EvalError("integer overflow")
    return value


def uint64(value: int) -> UInt:
    """Return a whole number as a uint. Raises EvalError."""
    if not 0 <= value <= UINT_MAX:
        raise EvalError("unsigned integer overflow")
    return UInt(value)


_TYPES: dict[type, Type] = {
    type(None): NULL,
    bool: BOOL,
    int: INT,
    UInt: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    Timestamp: TIMESTAMP,
    Duration: DURATION,
}
LIST_TYPE, MAP_TYPE, TYPE_TYPE = list_of(DYN), map_of(DYN, DYN), type_of_type(DYN)
OPTIONAL_TYPE = optional_of(DYN)


def type_of(value: Any) -> Type:
    """Return what type() gives for a value."""
    found = _TYPES.get(type(value))
    if found is not None:
        return found
    if isinstance(value, list):
        return LIST_TYPE
    if isinstance(value, Struct):
        return Type("object", name=value.name)
    if isinstance(value, dict):
        return MAP_TYPE
    if isinstance(value, Opt):
        return OPTIONAL_TYPE
    if isinstance(value, Type):
        return TYPE_TYPE
    return opaque(getattr(value, "type_name", "") or type(value).__name__)


def type_name(value: Any) -> str:
    """Return the name of a value's type, without parameters, as runtime errors have it."""
    kind = type_of(value)
    return kind.name or ("null_type" if kind is NULL else kind.kind)


def double_text(value: float) -> str:
    """Print a double as CEL does: without ".0" where it is whole."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e21:
        return "-0" if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    text = repr(value)
    if "e" in text:
        digits, _, exponent = text.partition("e")
        number = int(exponent)
        return f"{digits.removesuffix('.0')}e{'-' if number < 0 else '+'}{abs(number):02d}"
    return text
