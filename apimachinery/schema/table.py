"""Schemas of the built-in kinds, read from the type table one type at a time.

Opening the table reads the file and notes where each line stands: some milliseconds and a
megabyte. A type is parsed when somebody asks for it, and once. Schemas are shared by all
readers and never change.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import orjson

from apimachinery.gvk import GroupVersionKind
from apimachinery.schema import builder, gotypes

Kind: TypeAlias = Literal[
    "object", "array", "map", "string", "integer", "number", "boolean", "int-or-string",
    "quantity", "time", "micro-time", "bytes", "any",
]  # fmt: skip
_MACHINERY = "k8s.io/apimachinery/pkg/"
_EXTENSIONS = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1."
SPECIAL: Mapping[str, Kind] = {
    _MACHINERY + "api/resource.Quantity": "quantity",
    _MACHINERY + "util/intstr.IntOrString": "int-or-string",
    _MACHINERY + "apis/meta/v1.Time": "time",
    _MACHINERY + "apis/meta/v1.MicroTime": "micro-time",
    _MACHINERY + "apis/meta/v1.Duration": "string",
    _MACHINERY + "apis/meta/v1.FieldsV1": "any",
    _MACHINERY + "runtime.RawExtension": "any",
    _MACHINERY + "runtime.Object": "any",
    _EXTENSIONS + "JSON": "any",
    # These three take a schema, or something else; `decode` and `protobuf` know them by name.
    _EXTENSIONS + "JSONSchemaPropsOrArray": "any",
    _EXTENSIONS + "JSONSchemaPropsOrBool": "any",
    _EXTENSIONS + "JSONSchemaPropsOrStringArray": "any",
}
_SCALARS: Mapping[str, Kind] = {
    "string": "string", "bool": "boolean", "float64": "number", "float32": "number",
    "int": "integer", "int32": "integer", "int64": "integer", "uint8": "integer",
    "uint32": "integer", "uint64": "integer", "int16": "integer", "int8": "integer",
    "interface": "any", "other": "any",
}  # fmt: skip
# Options and envelopes that are registered in every group and version.
_EVERYWHERE = frozenset({
    "CreateOptions", "DeleteOptions", "GetOptions", "ListOptions", "PatchOptions",
    "UpdateOptions", "WatchEvent",
})  # fmt: skip


class Schema:
    """What a value has to be: its kind, and its parts. Shared, and never changed once made."""

    __slots__ = (
        "_fields", "_load", "decoder", "embedded_resource", "go_type", "int_format", "item",
        "kind", "list_map_keys", "list_type", "map_type", "name", "patch_merge_key",
        "patch_strategy", "preserve_unknown", "required",
    )  # fmt: skip

    def __init__(
        self,
        kind: Kind,
        name: str = "",
        *,
        fields: Mapping[str, Field] | Callable[[], dict[str, Field]] | None = None,
        item: Schema | None = None,
        required: Iterable[str] = (),
        int_format: str = "",
        go_type: str = "",
        preserve_unknown: bool = False,
        embedded_resource: bool = False,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.name = name
        self.item = item
        self.required = frozenset(required)
        self.int_format = int_format
        self.go_type = go_type
        self.preserve_unknown = preserve_unknown
        self.embedded_resource = embedded_resource
        self._load = fields if callable(fields) else None
        self._fields = dict(fields) if isinstance(fields, Mapping) else None
        # What `decode` made of this schema; kept here so that it is found without a lookup.
        self.decoder: Any = None
        self._extend(extensions or {})

    def _extend(self, extensions: Mapping[str, Any]) -> None:
        self.list_type: str = extensions.get("lt", "")
        self.list_map_keys: tuple[str, ...] = tuple(extensions.get("lk", ()))
        self.map_type: str = extensions.get("mt", "")
        strategy: str = extensions.get("ps", "")
        self.patch_strategy: tuple[str, ...] = tuple(strategy.split(",")) if strategy else ()
        self.patch_merge_key: str = extensions.get("pk", "")

    @property
    def fields(self) -> dict[str, Field]:
        """The fields of an object by JSON name, in the order of the Go struct."""
        if self._fields is None:
            self._fields = self._load() if self._load is not None else {}
        return self._fields

    def used_with(self, extensions: Mapping[str, Any]) -> Schema:
        """Return this schema as one property uses it: with that property's merge rules."""
        own = {
            "lt": self.list_type, "lk": self.list_map_keys, "mt": self.map_type,
            "ps": ",".join(self.patch_strategy), "pk": self.patch_merge_key,
        }  # fmt: skip
        return Schema(
            self.kind,
            self.name,
            fields=lambda: self.fields,
            item=self.item,
            required=self.required,
            int_format=self.int_format,
            go_type=self.go_type,
            preserve_unknown=self.preserve_unknown,
            embedded_resource=self.embedded_resource,
            extensions={**own, **extensions},
        )

    def __repr__(self) -> str:
        return f"Schema({self.kind!r}, {self.name or self.go_type!r})"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object, and how Go treats its absence."""

    name: str
    schema: Schema
    omitempty: bool = False
    pointer: bool = False
    omitzero: bool = False


class TypeTable:
    """All built-in types by definition name, and the kinds among them."""

    def __init__(self, content: bytes) -> None:
        self._lines: dict[str, bytes] = {}
        for line in content.splitlines()[1:]:
            name, _, record = line.partition(b"\t")
            self._lines[name.decode()] = record
        self._records: dict[str, dict[str, Any]] = {}
        self._schemas: dict[str, Schema] = {}
        self._expressions: dict[str, Schema] = {}

    def names(self) -> Iterable[str]:
        """Return the name of every definition, sorted."""
        return self._lines

    def kinds(self) -> Mapping[GroupVersionKind, str]:
        """Return every kind and the name of its definition."""
        return self._kinds

    @functools.cached_property
    def _kinds(self) -> dict[GroupVersionKind, str]:
        marker = b'"gvk":'
        return {
            GroupVersionKind(*gvk): name
            for name, line in self._lines.items()
            if marker in line
            for gvk in orjson.loads(line)["gvk"]
        }

    def type_of(self, gvk: GroupVersionKind) -> Schema | None:
        """Return the schema of a built-in kind, None for any other."""
        name = self._kinds.get(gvk)
        if name is None and gvk.kind in _EVERYWHERE:
            name = "io.k8s.apimachinery.pkg.apis.meta.v1." + gvk.kind
        return self.definition(name) if name is not None else None

    def definition(self, name: str) -> Schema:
        """Return the schema of a definition: "io.k8s.api.core.v1.PodSpec". KeyError if none."""
        schema = self._schemas.get(name)
        if schema is None:
            schema = self._schemas[name] = self._make(name)
        return schema

    def record(self, name: str) -> dict[str, Any]:
        """Return the raw record of a type: `go`, rows `f`; for the protobuf codec."""
        record = self._records.get(name)
        if record is None:
            record = self._records[name] = orjson.loads(self._lines[name])
        return record

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    def _make(self, name: str) -> Schema:
        record = self.record(name)
        kind = SPECIAL.get(record["go"], "object")
        return Schema(
            kind,
            name,
            fields=(lambda: self._fields(name)) if kind == "object" else None,
            required=record.get("req", ()),
            go_type=gotypes.short_name(record["go"]),
            preserve_unknown=kind == "any",
            extensions=record.get("x"),
        )

    def _fields(self, name: str) -> dict[str, Field]:
        fields: dict[str, Field] = {}
        for json_name, _, expression, flags, *extensions in self.record(name)["f"]:
            pointer = expression.startswith("*")
            if "i" in flags:
                inlined = gotypes.definition_name(expression.lstrip("*"))
                fields |= self.definition(inlined).fields
                continue
            schema = self.expression(expression)
            if extensions:
                schema = schema.used_with(extensions[0])
            fields[json_name] = Field(
                json_name, schema, "e" in flags, pointer=pointer, omitzero="z" in flags
            )
        return fields

    def expression(self, expression: str) -> Schema:
        """Return the schema of a Go type expression; see `gotypes`."""
        schema = self._expressions.get(expression)
        if schema is None:
            schema = self._expressions[expression] = self._parse(expression)
        return schema

    def _parse(self, expression: str) -> Schema:
        go_type = gotypes.short_name(expression).lstrip("*")
        expression = expression.lstrip("*")
        if "=" in expression and not expression.startswith(("[]", "map[")):
            expression = expression.partition("=")[2]
        if expression == "[]uint8":
            return Schema("bytes", go_type=go_type)
        if expression.startswith("[]"):
            return Schema("array", item=self.expression(expression[2:]), go_type=go_type)
        if expression.startswith("map["):
            item = self.expression(gotypes.split_map(expression)[1])
            return Schema("map", item=item, go_type=go_type)
        if "/" in expression:
            name = gotypes.definition_name(expression)
            return self.definition(name) if name in self._lines else Schema("any", go_type=go_type)
        kind = _SCALARS[expression]
        int_format = expression if expression in ("int32", "int64") else ""
        return Schema(kind, go_type=go_type, int_format=int_format)


@functools.cache
def types() -> TypeTable:
    """Return the table, opened once for the process; built first where that never happened."""
    if not builder.TYPES.exists():
        builder.build()
    return TypeTable(builder.TYPES.read_bytes())
