"""Structural schemas in the form by which server-side apply walks values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apimachinery.schema import types
from apimachinery.schema.table import Field, Kind, Schema
from apimachinery.structural.embedded import OBJECT_META
from apimachinery.structural.schema import MISSING, Structural

_SCALARS: Mapping[str, Kind] = {
    "string": "string", "integer": "integer", "number": "number", "boolean": "boolean",
}  # fmt: skip


class MergeSchema(Schema):
    """A schema of a custom kind; lists by key know the defaults of their keys."""

    __slots__ = ("key_defaults",)

    key_defaults: Mapping[str, Any]


def merge_schema(schema: Structural, *, root: bool = True) -> MergeSchema:
    """Return how values of a schema are merged; its parts are made when they are asked for."""
    made = MergeSchema(
        _kind(schema),
        fields=lambda: _fields(schema, root=root),
        item=_item(schema),
        preserve_unknown=schema.open,
        embedded_resource=schema.embedded,
        extensions={
            "lt": schema.list_type,
            "lk": schema.list_keys,
            "mt": schema.map_type,
        },
    )
    made.key_defaults = _key_defaults(schema)
    return made


def _kind(schema: Structural) -> Kind:
    if schema.int_or_string:
        return "int-or-string"
    if schema.type == "array":
        return "array"
    if schema.properties or schema.embedded:
        return "object"
    if schema.open:
        return "any"
    if schema.type == "object":
        return "map"
    return _SCALARS.get(schema.type, "any")


def _item(schema: Structural) -> MergeSchema | None:
    part = schema.items if schema.type == "array" else schema.additional
    return None if part is None else merge_schema(part, root=False)


def _fields(schema: Structural, *, root: bool) -> dict[str, Field]:
    fields = {
        name: Field(name, merge_schema(part, root=False), omitempty=True)
        for name, part in schema.properties.items()
    }
    if schema.embedded:
        text = Schema("string")
        for name in ("apiVersion", "kind"):
            fields[name] = Field(name, text, omitempty=True)
        metadata = types().definition(OBJECT_META)
        fields["metadata"] = Field("metadata", metadata, omitempty=True, pointer=not root)
    return fields


def _key_defaults(schema: Structural) -> Mapping[str, Any]:
    if schema.list_type != "map" or schema.items is None:
        return {}
    known = schema.items.properties
    return {
        key: known[key].default
        for key in schema.list_keys
        if key in known and known[key].default is not MISSING
    }
