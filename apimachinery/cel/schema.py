"""Types of CEL out of the schemas of custom resources, and how large their values may become.

Only what a schema describes has a type: a list without items, or an object of nothing but unknown
fields, is not there for an expression.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apimachinery.cel.schema_names import written
from apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Type,
    map_of,
)

_FORMATS: Mapping[str, Type] = {
    "byte": BYTES,
    "duration": DURATION,
    "date": TIMESTAMP,
    "date-time": TIMESTAMP,
}
_SCALARS: Mapping[str, Type] = {"boolean": BOOL, "number": DOUBLE, "integer": INT}
_METADATA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
}
IMPLICIT = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": _METADATA}


def is_root(node: Mapping[str, Any]) -> bool:
    """Tell whether a schema below the root is that of a whole object."""
    return bool(node.get("x-kubernetes-embedded-resource"))


def with_implicit(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a whole object with the fields that every object has."""
    return {**node, "properties": {**(node.get("properties") or {}), **IMPLICIT}}


def type_of_schema(
    node: Mapping[str, Any], *, root: bool = False, name: str = "object"
) -> Type | None:
    """Return the type of values of a schema, None where expressions cannot see them."""
    if node.get("x-kubernetes-int-or-string"):
        return DYN
    if root:
        node = with_implicit(node)
    kind = node.get("type")
    if kind == "string":
        return _FORMATS.get(node.get("format") or "", STRING)
    if kind == "array":
        return _list(node, name)
    if kind == "object":
        return _object(node, name)
    return _SCALARS.get(kind or "")


def _list(node: Mapping[str, Any], name: str) -> Type | None:
    items = node.get("items")
    if not isinstance(items, dict):
        return None
    element = type_of_schema(items, root=is_root(items), name=f"{name}.@idx")
    if element is None:
        return None
    listed = node.get("x-kubernetes-list-type")
    read = "set" if listed == "set" else ""
    if listed == "map":
        read = "map:" + ",".join(node.get("x-kubernetes-list-map-keys") or ())
    return Type("list", (element,), read=read)


def _object(node: Mapping[str, Any], name: str) -> Type | None:
    additional = node.get("additionalProperties")
    if isinstance(additional, dict):
        value = type_of_schema(additional, root=is_root(additional), name=f"{name}.@prop")
        return None if value is None else map_of(STRING, value)
    fields: dict[str, Type] = {}
    for field, part in (node.get("properties") or {}).items():
        found = type_of_schema(part, root=is_root(part), name=f"{name}.{field}")
        if found is not None:
            fields.update(dict.fromkeys(written(field), found))
    return Type("object", name=name, fields=lambda: fields)
