"""What the OpenAPI schema of a custom kind may say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_supported,
    required,
)
from apiserver.registry.apiextensions.expressions import rule_errors, rule_form_errors
from apiserver.registry.apiextensions.structural import structural_errors

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
# What Kubernetes leaves out of OpenAPI: (field, what is said of it)
_UNSUPPORTED = (
    ("id", "id is not supported"),
    ("additionalItems", "additionalItems is not supported"),
    ("patternProperties", "patternProperties is not supported"),
    ("definitions", "definitions is not supported"),
    ("dependencies", "dependencies is not supported"),
    ("$ref", "$ref is not supported"),
)
_LIST_TYPES, _MAP_TYPES = ("atomic", "set", "map"), ("atomic", "granular")
_LIST, _KEYS, _MAP = (
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
)
_ATOMIC = "must be atomic as item of a list with x-kubernetes-list-type=set"
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


def schema_errors(schema: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with the schema of a version; `path` is that of openAPIV3Schema."""
    if schema.get("nullable"):
        yield forbidden(Path(f"{path}.nullable"), "nullable cannot be true at the root")
    shape = list(structural_errors(schema, path))
    yield from shape
    if not shape:
        yield from _default_errors(schema, path)
    found = list(_node_errors(schema, path))
    yield from found
    if not shape and not found:
        yield from rule_errors(schema, path, resource=True)


def _node_errors(schema: Obj, path: Path) -> FieldErrors:
    yield from _support_errors(schema, path)
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(path / "uniqueItems", why)
    if schema.get("additionalProperties") and schema.get("properties"):
        why = "additionalProperties and properties are mutual exclusive"
        yield forbidden(path / "additionalProperties", why)
    for part, where in _below(schema, path):
        yield from _node_errors(part, where)
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        where = path / "x-kubernetes-preserve-unknown-fields"
        yield invalid(where, False, "must be true or undefined")
    yield from _typed_errors(schema, path, _MAP, "object", _MAP_TYPES)
    yield from _typed_errors(schema, path, _LIST, "array", _LIST_TYPES)
    yield from _set_errors(schema, path)
    yield from _key_errors(schema, path)
    yield from rule_form_errors(schema, path)


def _below(schema: Obj, path: Path) -> Iterator[tuple[Obj, Path]]:
    """Yield the schemas within a schema, in the order in which they are looked at."""
    if isinstance(schema.get("additionalProperties"), dict):
        yield schema["additionalProperties"], path / "additionalProperties"
    for name, part in (schema.get("properties") or {}).items():
        yield part, (path / "properties").key(name)
    if schema.get("not") is not None:
        yield schema["not"], path / "not"
    for junctor in ("allOf", "oneOf", "anyOf"):
        for at, part in enumerate(schema.get(junctor) or ()):
            yield part, (path / junctor)[at]
    if isinstance(schema.get("items"), dict):
        yield schema["items"], path / "items"


def _support_errors(schema: Obj, path: Path) -> FieldErrors:
    for name, why in _UNSUPPORTED:
        if schema.get(name):
            yield forbidden(path / name, why)
    kind = schema.get("type") or ""
    if kind == "null":
        why = "type cannot be set to null, use nullable as an alternative"
        yield forbidden(path / "type", why)
    elif kind and kind not in _TYPES:
        yield not_supported(path / "type", kind, _TYPES)
    if isinstance(schema.get("items"), list):
        yield forbidden(path / "items", "items must be a schema object and not an array")


def _typed_errors(
    schema: Obj, path: Path, name: str, kind: str, allowed: tuple[str, ...]
) -> FieldErrors:
    value, own = schema.get(name), schema.get("type") or ""
    if value is None:
        return
    if own != kind:
        why = f"must be {kind} if {name} is specified"
        yield invalid(path / "type", own, why) if own else required(path / "type", why)
    if value not in allowed:
        yield not_supported(path / name, value, allowed)


def _set_errors(schema: Obj, path: Path) -> FieldErrors:
    items = schema.get("items")
    if schema.get(_LIST) not in ("set", "map") or not isinstance(items, dict):
        return
    if schema[_LIST] == "set":
        if items.get("type") == "array" and items.get(_LIST) not in (None, "atomic"):
            yield invalid(path / "items" / _LIST, items[_LIST], _ATOMIC)
        if items.get("type") == "object" and items.get(_MAP) != "atomic":
            yield invalid(path / "items" / _MAP, items.get(_LIST), _ATOMIC)
    if items.get("nullable"):
        why = f"cannot be nullable when {_LIST} is {schema[_LIST]}"
        yield forbidden(path / "items" / "nullable", why)


def _key_errors(schema: Obj, path: Path) -> FieldErrors:
    keys, kind, items = schema.get(_KEYS) or [], schema.get(_LIST), schema.get("items")
    if keys and kind != "map":
        why = f"must be map if {_KEYS} is non-empty"
        yield required(path / _LIST, why) if kind is None else invalid(path / _LIST, kind, why)
    if kind != "map":
        return
    if not keys:
        yield required(path / _KEYS, f"must not be empty if {_LIST} is map")
    if items is None:
        yield required(path / "items", f"must have a schema if {_LIST} is map")
    elif items.get("type") != "object":
        why = f"must be object if parent array's {_LIST} is map"
        yield invalid(path / "items" / "type", items.get("type") or "", why)
    else:
        yield from _item_key_errors(keys, items, path)


def _item_key_errors(keys: list[str], items: Obj, path: Path) -> FieldErrors:
    known = items.get("properties") or {}
    for at, key in enumerate(keys):
        where = (path / "items" / "properties").key(key)
        if key not in known:
            yield invalid(path / _KEYS, keys, "entries must all be names of item properties")
        elif known[key].get("type") in ("array", "object"):
            why = f"must be a scalar type if parent array's {_LIST} is map"
            yield invalid(where / "type", items["type"], why)
        if key in keys[:at]:
            yield invalid(path / _KEYS, keys, "must not contain duplicate entries")
    needed = items.get("required") or ()
    for key in keys:
        one = known.get(key)
        where = (path / "items" / "properties").key(key)
        if one is None:
            continue
        if key not in needed and one.get("default") is None:
            why = (
                f"this property is in {_KEYS}, so it must have a default or be a required property"
            )
            yield required(where / "default", why)
        if one.get("nullable"):
            yield forbidden(
                where / "nullable", f"this property is in {_KEYS}, so it cannot be nullable"
            )


def _default_errors(schema: Obj, path: Path) -> FieldErrors:
    """Yield which defaults are not what their schemas say."""
    if "default" in schema and schema["default"] is not None:
        yield from _value_errors(schema["default"], schema, path / "default")
    for part, where in _below(schema, path):
        yield from _default_errors(part, where)


def _value_errors(value: Any, schema: Obj, path: Path) -> FieldErrors:
    kind = schema.get("type") or ""
    fits = _JSON_TYPES.get(kind)
    if fits is not None and (
        not isinstance(value, fits) or (isinstance(value, bool) and kind != "boolean")
    ):
        yield invalid(path, _type_of(value), f'must be of type {kind}: "{_type_of(value)}"')
        return
    allowed = schema.get("enum")
    if allowed and value not in allowed:
        yield not_supported(path, value, [str(one) for one in allowed])
    yield from _content_errors(value, schema, path)


def _content_errors(value: Any, schema: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong within a value of the right type."""
    if isinstance(value, dict):
        for name, part in (schema.get("properties") or {}).items():
            if name in value:
                yield from _value_errors(value[name], part, path / name)
        for name in schema.get("required") or ():
            if name not in value:
                yield required(path / name)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for at, item in enumerate(value):
            yield from _value_errors(item, schema["items"], path[at])
    if isinstance(value, (int, float)):
        yield from _bound_errors(value, schema, path)


def _bound_errors(value: float, schema: Obj, path: Path) -> FieldErrors:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and value < low:
        yield invalid(path, value, f"must be greater than or equal to {low}")
    if high is not None and value > high:
        yield invalid(path, value, f"must be less than or equal to {high}")


def _type_of(value: Any) -> str:
    for name, types in _JSON_TYPES.items():
        if type(value) in types:
            return name
    return "null"
