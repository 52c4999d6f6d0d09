"""x-kubernetes-list-type, -list-map-keys and -map-type: what a schema may say of merging."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_supported,
    repeats,
    required,
)

_LIST_TYPES, _MAP_TYPES = ("atomic", "set", "map"), ("atomic", "granular")
_LIST, _KEYS, _MAP = (
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
)
_ATOMIC = "must be atomic as item of a list with x-kubernetes-list-type=set"


def list_type_errors(schema: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with how a schema's lists and maps are to be merged."""
    yield from _type_errors(schema, path, _MAP, "object")
    if schema.get(_MAP) is not None and schema[_MAP] not in _MAP_TYPES:
        yield not_supported(path / _MAP, schema[_MAP], _MAP_TYPES)
    yield from _type_errors(schema, path, _LIST, "array")
    if schema.get(_LIST) == "set" and (schema.get("type") or "") == "array":
        yield from _set_errors(schema, path)
    if schema.get(_LIST) is not None and schema[_LIST] not in _LIST_TYPES:
        yield not_supported(path / _LIST, schema[_LIST], _LIST_TYPES)
    yield from _key_errors(schema, path)
    yield from _item_errors(schema, path)


def _type_errors(schema: Obj, path: Path, name: str, wanted: str) -> FieldErrors:
    kind = schema.get("type") or ""
    if schema.get(name) is not None and kind != wanted:
        why = f"must be {wanted} if {name} is specified"
        yield invalid(path / "type", kind, why) if kind else required(path / "type", why)


def _set_errors(schema: Obj, path: Path) -> FieldErrors:
    items = schema.get("items")
    if not isinstance(items, dict):
        return
    if items.get("type") == "array" and items.get(_LIST) not in (None, "atomic"):
        yield invalid(path / "items" / _LIST, items[_LIST], _ATOMIC)
    if items.get("type") == "object" and items.get(_MAP) != "atomic":
        yield invalid(path / "items" / _MAP, items.get(_LIST), _ATOMIC)


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
    elif isinstance(items, dict) and items.get("type") != "object":
        why = f"must be object if parent array's {_LIST} is map"
        yield invalid(path / "items" / "type", items.get("type") or "", why)
    elif isinstance(items, dict):
        yield from _named_key_errors(keys, items, path)


def _named_key_errors(keys: Sequence[str], items: Obj, path: Path) -> FieldErrors:
    known = items.get("properties") or {}
    again = repeats(keys)
    for at, key in enumerate(keys):
        if key not in known:
            yield invalid(path / _KEYS, keys, "entries must all be names of item properties")
        elif known[key].get("type") in ("array", "object"):
            where = (path / "items" / "properties").key(key) / "type"
            why = f"must be a scalar type if parent array's {_LIST} is map"
            yield invalid(where, items["type"], why)
        if at in again:
            yield invalid(path / _KEYS, keys, "must not contain duplicate entries")


def _item_errors(schema: Obj, path: Path) -> FieldErrors:
    """Yield why items could not be told apart: they may be null, or keys may be missing."""
    items, kind = schema.get("items"), schema.get(_LIST)
    if not isinstance(items, dict) or kind not in ("set", "map"):
        return
    if items.get("nullable"):
        yield forbidden(path / "items" / "nullable", f"cannot be nullable when {_LIST} is {kind}")
    if kind != "map":
        return
    known, needed = items.get("properties") or {}, items.get("required") or ()
    for key in schema.get(_KEYS) or ():
        one = known.get(key)
        if one is None:
            continue
        where = (path / "items" / "properties").key(key)
        so = f"this property is in {_KEYS}, so it"
        if key not in needed and one.get("default") is None:
            yield required(where / "default", f"{so} must have a default or be a required property")
        if one.get("nullable"):
            yield forbidden(where / "nullable", f"{so} cannot be nullable")
