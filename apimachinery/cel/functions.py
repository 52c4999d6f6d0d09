"""Functions by their signatures, written as text: `string.startsWith(string) -> bool`.

A library is a literal list of these. Single capital letters are type parameters; names of opaque
types begin with a capital letter and are looked up in `OPAQUE`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from apimachinery.cel import types
from apimachinery.cel.types import Type
from apimachinery.cel.values import Duration, Opaque, Opt, Timestamp, UInt

OPAQUE: Mapping[str, Type] = {
    "Quantity": types.opaque("kubernetes.Quantity"),
    "URL": types.opaque("kubernetes.URL"),
    "IP": types.opaque("net.IP"),
    "CIDR": types.opaque("net.CIDR"),
    "Semver": types.opaque("kubernetes.Semver"),
    "NamedFormat": types.opaque("kubernetes.NamedFormat"),
    "Authorizer": types.opaque("kubernetes.authorization.Authorizer"),
    "PathCheck": types.opaque("kubernetes.authorization.PathCheck"),
    "GroupCheck": types.opaque("kubernetes.authorization.GroupCheck"),
    "ResourceCheck": types.opaque("kubernetes.authorization.ResourceCheck"),
    "Decision": types.opaque("kubernetes.authorization.Decision"),
}
_SIMPLE: Mapping[str, Type] = {
    "bool": types.BOOL,
    "int": types.INT,
    "uint": types.UINT,
    "double": types.DOUBLE,
    "string": types.STRING,
    "bytes": types.BYTES,
    "null": types.NULL,
    "dyn": types.DYN,
    "timestamp": types.TIMESTAMP,
    "duration": types.DURATION,
    **OPAQUE,
}
_PYTHON: Mapping[str, Callable[[Any], bool]] = {
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: type(value) is int,
    "uint": lambda value: type(value) is UInt,
    "double": lambda value: type(value) is float,
    "string": lambda value: isinstance(value, str),
    "bytes": lambda value: isinstance(value, bytes),
    "null_type": lambda value: value is None,
    "timestamp": lambda value: type(value) is Timestamp,
    "duration": lambda value: type(value) is Duration,
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
    "optional_type": lambda value: isinstance(value, Opt),
    "type": lambda value: isinstance(value, Type),
}


@dataclass(frozen=True, slots=True, eq=False)
class Overload:
    """One form of a function: the types that it takes and what it does with them."""

    function: str
    params: tuple[Type, ...]
    result: Type
    member: bool
    run: Callable[..., Any]

    @property
    def guards(self) -> tuple[Callable[[Any], bool] | None, ...]:
        """Return a test for each argument, None where anything will do."""
        return tuple(guard(each) for each in self.params)


@lru_cache(maxsize=256)
def guard(kind: Type) -> Callable[[Any], bool] | None:
    """Return what tells that a value is of a type; None: every value is."""
    if kind.kind == "opaque":
        return lambda value: isinstance(value, Opaque) and value.type_name == kind.name
    return _PYTHON.get(kind.kind)


def function(signature: str, run: Callable[..., Any]) -> Overload:
    """Return an overload by its signature."""
    front, _, result = signature.partition(" -> ")
    match = re.fullmatch(r"(?:(.+)\.)?([A-Za-z_@]\w*)\((.*)\)", front)
    if match is None:
        raise ValueError(f"no signature: {signature}")
    target, name, args = match.groups()
    params = tuple(_types(args))
    member = target is not None and not _is_namespace(target)
    if member:
        params = (read_type(target), *params)
    elif target is not None:
        name = f"{target}.{name}"
    return Overload(name, params, read_type(result), member, run)


# Front parts of names that look like a type and are none.
_NAMESPACES = (
    *("strings", "sets", "lists", "ip", "cidr", "format", "optional", "jsonpatch", "math"),
)


def _is_namespace(target: str) -> bool:
    return target in _NAMESPACES


def _types(text: str) -> Iterable[Type]:
    depth, start = 0, 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            yield read_type(text[start:at].strip())
            start = at + 1
    if text[start:].strip():
        yield read_type(text[start:].strip())


@lru_cache(maxsize=256)
def read_type(text: str) -> Type:
    """Return the type that a signature names."""
    found = _SIMPLE.get(text)
    if found is not None:
        return found
    name, paren, inner = text.partition("(")
    if not paren:
        if len(text) == 1 and text.isupper():
            return types.param(text)
        raise ValueError(f"no type: {text}")
    params = tuple(_types(inner.removesuffix(")")))
    return Type("optional_type" if name == "optional" else name, params)
