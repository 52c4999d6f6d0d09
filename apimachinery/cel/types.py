"""Types of expressions: what the checker reckons with, and what `type(x)` returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_SHOWN = {"null_type": "null", "error": "!error!"}


@dataclass(frozen=True, slots=True)
class Type:
    """A type by its kind; `params` are those of list, map, optional_type and type.

    kind "opaque" has a `name` alone. kind "object" has a name and `fields`, which are asked for
    only when a field is selected, so that types may contain themselves; None: any field. kind
    "param" stands for a type to be found ("A" in list(A)).
    """

    kind: str
    params: tuple[Type, ...] = ()
    name: str = ""
    fields: Callable[[], Mapping[str, Type] | None] | None = field(
        default=None, compare=False, repr=False
    )
    # How values of a field are read out of JSON, where that is not what they are there.
    read: str = ""

    def __str__(self) -> str:
        if self.kind in ("opaque", "object", "param"):
            return self.name
        if not self.params:
            return _SHOWN.get(self.kind, self.kind)
        return f"{self.kind}({', '.join(str(each) for each in self.params)})"


DYN = Type("dyn")
NULL = Type("null_type")
BOOL = Type("bool")
INT = Type("int")
UINT = Type("uint")
DOUBLE = Type("double")
STRING = Type("string")
BYTES = Type("bytes")
TIMESTAMP = Type("timestamp")
DURATION = Type("duration")
# Stands for what could not be typed, so that one mistake is told once.
ERROR = Type("error")
PRIMITIVES = (BOOL, INT, UINT, DOUBLE, STRING, BYTES)


def list_of(element: Type) -> Type:
    return Type("list", (element,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", (key, value))


def optional_of(element: Type) -> Type:
    return Type("optional_type", (element,))


def type_of_type(inner: Type) -> Type:
    return Type("type", (inner,))


def opaque(name: str) -> Type:
    return Type("opaque", name=name)


def param(name: str) -> Type:
    return Type("param", name=name)


def object_type(name: str, fields: Mapping[str, Type] | None = None) -> Type:
    """Return an object type with fields that are known now; None: any field, of any type."""
    return Type("object", name=name, fields=lambda: fields)


# The names of types that an expression may use as values.
NAMED: Mapping[str, Type] = {
    **{each.kind: each for each in (*PRIMITIVES, NULL)},
    "list": list_of(DYN),
    "map": map_of(DYN, DYN),
    "type": type_of_type(DYN),
    "dyn": DYN,
    "optional_type": optional_of(DYN),
    "google.protobuf.Timestamp": TIMESTAMP,
    "google.protobuf.Duration": DURATION,
}


class Bindings:
    """What type parameters stand for, while one expression is checked."""

    def __init__(self) -> None:
        self._found: dict[str, Type] = {}
        self._count = 0

    def fresh(self) -> Type:
        """Return a type that is not known yet."""
        self._count += 1
        return param(f"_{self._count}")

    def renew(self, kind: Type, names: dict[str, Type]) -> Type:
        """Return a signature's type with parameters of its own."""
        if kind.kind == "param":
            found = names.get(kind.name)
            if found is None:
                found = names[kind.name] = self.fresh()
            return found
        if not kind.params:
            return kind
        return Type(kind.kind, tuple(self.renew(each, names) for each in kind.params), kind.name)

    def save(self) -> dict[str, Type]:
        return dict(self._found)

    def restore(self, saved: dict[str, Type]) -> None:
        self._found = saved

    def find(self, kind: Type) -> Type:
        """Follow a parameter to what it stands for; itself where it is still free."""
        while kind.kind == "param" and kind.name in self._found:
            kind = self._found[kind.name]
        return kind

    def settle(self, kind: Type) -> Type:
        """Return a type without parameters: what is not known is dyn."""
        return self._replaced(kind, DYN)

    def same(self, a: Type, b: Type) -> bool:
        """Tell whether two types are one, parameters that are still free included."""
        return self._replaced(a, None) == self._replaced(b, None)

    def _replaced(self, kind: Type, free: Type | None) -> Type:
        kind = self.find(kind)
        if kind.kind == "param":
            return free or kind
        if not kind.params:
            return kind
        params = tuple(self._replaced(each, free) for each in kind.params)
        return Type(kind.kind, params, kind.name, kind.fields, kind.read)

    def accepts(self, wanted: Type, given: Type) -> bool:
        """Tell whether a value of one type may stand where another is wanted; bind on the way."""
        wanted, given = self.find(wanted), self.find(given)
        if wanted.kind == "param" or given.kind == "param":
            return self._bind(wanted, given)
        if wanted.kind in _ANY or given.kind in _ANY:
            return True
        if given.kind == "null_type" and wanted.kind in _NULLABLE:
            return True
        if wanted.kind != given.kind:
            return False
        if wanted.kind in ("object", "opaque"):
            return wanted.name == given.name
        if wanted.kind == "type":
            return True
        return all(self.accepts(a, b) for a, b in zip(wanted.params, given.params, strict=False))

    def _bind(self, wanted: Type, given: Type) -> bool:
        if wanted.kind == given.kind and wanted.name == given.name:
            return True
        free, other = (wanted, given) if wanted.kind == "param" else (given, wanted)
        if self._within(free, other):
            return False
        self._found[free.name] = other
        return True

    def _within(self, free: Type, other: Type) -> bool:
        other = self.find(other)
        if other.kind == "param":
            return other.name == free.name
        return any(self._within(free, each) for each in other.params)


_ANY = ("dyn", "error")
_NULLABLE = ("null_type", "object", "opaque", "timestamp", "duration", "optional_type")
