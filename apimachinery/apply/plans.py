"""How the values of a type are walked for ownership: which are leaves, which have parts.

A plan is made once for each schema and kept. Atomic lists and maps are leaves like scalars;
lists merge by key or as sets where the type says so; what has no schema is read off the values:
maps have parts, all else is a leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeAlias

import orjson

LEAF, STRUCT, MAP, KEYED, VALUES, DEDUCED = range(6)

_ZERO: Mapping[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}
# Key fields with a default of their own.
_PROTOCOL = "protocol"
_REFERENCE = "LocalObjectReference"


class SchemaLike(Protocol):
    """What a plan is made from; apimachinery.schema.Schema has it all."""

    kind: Any
    item: Any
    list_type: str
    list_map_keys: tuple[str, ...]
    map_type: str
    patch_strategy: tuple[str, ...]
    patch_merge_key: str
    preserve_unknown: bool
    go_type: str

    @property
    def fields(self) -> Mapping[str, Any]: ...


# A schema, or None where nothing is known of the type.
AnySchema: TypeAlias = SchemaLike | None


class FieldPlan(NamedTuple):
    """A field of a struct: its path element, its plan, and what an empty Go struct has there."""

    element: str
    plan: Plan
    inline: bool  # a struct by value: always there
    present: bool  # no omitempty: there even when it is empty
    zero: Any


class Plan:
    """How one type is walked."""

    __slots__ = (
        "_defaults", "_fields", "_item", "_schema", "built_in", "keys", "kind", "scalar",
        "sole_key", "struct",
    )  # fmt: skip

    def __init__(self, schema: AnySchema) -> None:
        self._schema = schema
        self._fields: dict[str, FieldPlan] | None = None
        self._item: Plan | None = None
        self.keys: tuple[str, ...] = ()
        self.kind = _kind(schema)
        self.scalar = "" if schema is None else str(schema.kind)
        self.struct = self.scalar == "object"
        self.built_in = bool(schema is not None and schema.go_type)
        if self.kind == KEYED and schema is not None:
            self.keys = tuple(sorted(schema.list_map_keys or (schema.patch_merge_key,)))
        # Custom kinds say themselves which keys have defaults.
        defaults: Mapping[str, Any] | None = getattr(schema, "key_defaults", None)
        self._defaults = _key_defaults(schema, self.keys) if defaults is None else defaults
        self.sole_key = self.keys[0] if len(self.keys) == 1 else ""

    @property
    def fields(self) -> dict[str, FieldPlan]:
        if self._fields is None:
            schema = self._schema
            self._fields = {
                name: _field(field, built_in=self.built_in)
                for name, field in (schema.fields if schema is not None else {}).items()
            }
        return self._fields

    @property
    def item(self) -> Plan:
        """The plan of a list's or a map's elements, and of unknown fields."""
        if self._item is None:
            known = self._schema is not None and self.kind in (MAP, KEYED, VALUES)
            self._item = plan_of(self._schema.item if known and self._schema else None)
        return self._item

    @property
    def parts(self) -> Plan:
        """The plan of a list's or a map's elements, those of atomic ones, too."""
        return plan_of(self._schema.item if self._schema is not None else None)

    @property
    def open(self) -> bool:
        """True where fields may appear that no schema names."""
        return self.kind in (MAP, DEDUCED) or (
            self._schema is not None and self._schema.preserve_unknown
        )

    def element(self, item: Any) -> str | None:
        """Return the path element of a list item, None where it has no key."""
        if self.kind == VALUES:
            return "v:" + orjson.dumps(item).decode()
        if self.sole_key:
            value = item.get(self.sole_key)
            if value is None:
                value = self._defaults.get(self.sole_key)
                if value is None:
                    return None
            return f'k:{{"{self.sole_key}":{orjson.dumps(value).decode()}}}'
        found = {}
        for key in self.keys:
            value = item.get(key)
            found[key] = self._defaults.get(key) if value is None else value
            if found[key] is None:
                return None
        return "k:" + orjson.dumps(found).decode()


def _key_defaults(schema: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return the values of key fields that an element leaves out, where the API has such.

    Published schemas have an empty value as the default of whatever Go always prints.
    """
    found: dict[str, Any] = {}
    for key in keys:
        field = schema.item.fields.get(key) if schema.item is not None else None
        if key == _PROTOCOL:
            found[key] = "TCP"
        elif field is not None and not field.pointer:
            reference = schema.item.go_type.endswith(_REFERENCE)
            if reference or not field.omitempty:
                found[key] = _ZERO.get(field.schema.kind)
    return found


def plan_of(schema: AnySchema) -> Plan:
    """Return the plan of a type, always the same one."""
    untyped: Any = schema
    return _made(untyped)


# The bound is for what deleted custom types leave behind; the built-in ones are some 3,000.
@lru_cache(maxsize=16384)
def _made(schema: Any) -> Plan:
    return Plan(schema)


def _field(field: Any, *, built_in: bool) -> FieldPlan:
    plan = plan_of(field.schema)
    # Metadata is a struct by value in custom kinds, too.
    inline = (built_in or plan.built_in) and plan.struct and not field.pointer
    present = built_in and not inline and not field.omitempty
    zero = None if field.pointer else _ZERO.get(plan.scalar)
    return FieldPlan(f"f:{field.name}", plan, inline, present, zero)


def _kind(schema: AnySchema) -> int:
    if schema is None:
        return DEDUCED
    match schema.kind:
        case "object":
            return LEAF if schema.map_type == "atomic" else STRUCT
        case "map":
            return LEAF if schema.map_type == "atomic" else MAP
        case "array":
            return _list_kind(schema)
        case "any":
            # Raw extensions of built-in kinds are owned as a whole, custom ones by their parts.
            return LEAF if schema.go_type else DEDUCED
        case _:
            return LEAF


def _list_kind(schema: SchemaLike) -> int:
    if schema.list_type == "map":
        return KEYED
    if schema.list_type == "set":
        return VALUES
    if schema.list_type == "atomic" or "merge" not in schema.patch_strategy:
        return LEAF
    return KEYED if schema.patch_merge_key else VALUES
