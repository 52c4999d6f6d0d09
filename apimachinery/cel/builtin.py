"""Types of CEL out of the schemas of built-in kinds."""

from __future__ import annotations

from collections.abc import Mapping

from apimachinery.cel.schema_names import written
from apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Type,
    list_of,
    map_of,
)
from apimachinery.schema import Schema

_SCALARS: Mapping[str, Type] = {
    "string": STRING,
    "integer": INT,
    "number": DOUBLE,
    "boolean": BOOL,
    "bytes": BYTES,
    "time": TIMESTAMP,
    "micro-time": TIMESTAMP,
    # A number or a text, as its author likes.
    "int-or-string": DYN,
    "quantity": DYN,
    "any": DYN,
}


def type_of_builtin(schema: Schema, name: str) -> Type:
    """Return the type of values of a schema; fields are read when they are asked for."""
    scalar = _SCALARS.get(schema.kind)
    if scalar is not None:
        return scalar
    if schema.kind == "array" and schema.item is not None:
        return list_of(type_of_builtin(schema.item, f"{name}.@idx"))
    if schema.kind == "map" and schema.item is not None:
        return map_of(STRING, type_of_builtin(schema.item, f"{name}.@prop"))
    return Type("object", name=name, fields=lambda: _fields(schema, name))


def _fields(schema: Schema, name: str) -> Mapping[str, Type]:
    found: dict[str, Type] = {}
    for field, part in schema.fields.items():
        kind = type_of_builtin(part.schema, f"{name}.{field}")
        found.update(dict.fromkeys(written(field), kind))
    return found
