"""Strategic merge patch: a merge patch that knows which lists merge by key, and directives.

`$patch: replace|delete`, `$retainKeys`, `$setElementOrder/<list>` and
`$deleteFromPrimitiveList/<list>` mean what k8s.io/apimachinery/pkg/util/strategicpatch says. The
order of merged lists is part of that: what the patch names stands in the patch's order, what it
does not name keeps its order, and the two are interleaved by where they stood before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from apimachinery.errors import BadRequest
from apimachinery.meta import Obj
from apimachinery.patch.ordering import in_order
from apimachinery.patch.refusals import failed, go_text, inapplicable, json_type, undecodable

_PATCH = "$patch"
_RETAIN_KEYS = "$retainKeys"
_SET_ORDER = "$setElementOrder/"
_DELETE_FROM = "$deleteFromPrimitiveList/"


class SchemaLike(Protocol):
    """What a patch has to know of a type."""

    kind: Any
    item: Any
    patch_merge_key: str
    patch_strategy: tuple[str, ...]

    @property
    def fields(self) -> Mapping[str, Any]: ...


def apply(doc: Obj, patch: Any, schema: SchemaLike | None) -> Obj:
    """Return `doc` with the patch merged in by the types' own rules."""
    if not isinstance(patch, dict):
        raise undecodable(
            f"json: cannot unmarshal {json_type(patch)} into Go value of type "
            "map[string]interface {}"
        )
    return _merge_map(doc, patch, schema)


def _field(schema: SchemaLike | None, key: str) -> SchemaLike | None:
    if schema is None:
        return None
    if schema.kind == "map":
        found: SchemaLike | None = schema.item
        return found
    field = schema.fields.get(key) if schema.kind == "object" else None
    return field.schema if field is not None else None


def _merges(schema: SchemaLike | None) -> bool:
    return schema is not None and "merge" in schema.patch_strategy


def _merge_map(original: Obj, patch: Obj, schema: SchemaLike | None) -> Obj:
    if _PATCH in patch:
        return _directed(patch)
    rest = dict(patch)
    merged = _retained(original, rest)
    for key in [key for key in rest if key.startswith(_SET_ORDER)]:
        _merge_ordered(merged, rest, key, schema)
    for key, value in rest.items():
        if key.startswith(_DELETE_FROM):
            _delete_from(merged, key, value)
        elif value is None:
            merged.pop(key, None)
        elif key not in merged:
            merged[key] = _plain(value)
        else:
            merged[key] = _merge_value(merged[key], value, _field(schema, key))
    return merged


def _directed(patch: Obj) -> Obj:
    if patch[_PATCH] == "replace":
        return {key: value for key, value in patch.items() if key != _PATCH}
    if patch[_PATCH] == "delete":
        return {}
    raise failed(f"unknown patch type: {go_text(patch[_PATCH])} in map: {go_text(patch)}")


def _merge_value(original: Any, value: Any, schema: SchemaLike | None) -> Any:
    replaces = schema is not None and "replace" in schema.patch_strategy
    if isinstance(original, dict) and isinstance(value, dict) and not replaces:
        return _merge_map(original, value, schema)
    if isinstance(original, list) and isinstance(value, list) and schema and _merges(schema):
        return _merge_list(original, value, schema)
    return value


def _retained(original: Obj, rest: Obj) -> Obj:
    """Return a copy of the original without what `$retainKeys` leaves out."""
    if _RETAIN_KEYS not in rest:
        return dict(original)
    keys = rest.pop(_RETAIN_KEYS)
    broken = BadRequest("invalid patch format of retainKeys")
    if not isinstance(keys, list):
        raise broken
    for key, value in rest.items():
        directive = key.startswith((_DELETE_FROM, _SET_ORDER))
        if value is not None and not directive and key not in keys:
            raise broken
    return {key: value for key, value in original.items() if key in keys}


def _delete_from(merged: Obj, key: str, values: Any) -> None:
    if not isinstance(values, list):
        raise BadRequest("invalid patch format of primitive list")
    name = key.removeprefix(_DELETE_FROM)
    current = merged.get(name)
    if isinstance(current, list):
        merged[name] = [value for value in current if value not in values]


def _merge_ordered(merged: Obj, rest: Obj, key: str, schema: SchemaLike | None) -> None:
    """Merge one list and put it into the order that the patch asks for."""
    order = rest.pop(key)
    name = key.removeprefix(_SET_ORDER)
    if not isinstance(order, list):
        raise BadRequest("invalid patch format of setElementOrder list")
    field = _field(schema, name)
    merge_key = field.patch_merge_key if field is not None else ""
    original, patched = merged.get(name), rest.get(name)
    if any(found is not None and not isinstance(found, list) for found in (original, patched)):
        raise BadRequest("invalid patch format of setElementOrder list")
    _check_order(patched or [], order, merge_key)
    if name in rest and rest[name] is None:
        return
    if original is None and patched is None:
        return
    result = patched if original is None else original
    if original is not None and patched is not None:
        result = _merge_value(original, patched, field)
    elif original is None:
        result = _plain(patched)
    merged[name] = in_order(result or [], order, original or [], merge_key)
    rest.pop(name, None)


def _check_order(patched: list[Any], order: list[Any], merge_key: str) -> None:
    """Refuse a list whose items stand in another order than the order list says."""
    wanted = iter(order)
    for item in patched:
        if merge_key and isinstance(item, dict):
            if item.get(_PATCH) == "delete":
                continue
            value = item.get(merge_key)
            found = any(isinstance(o, dict) and o.get(merge_key) == value for o in wanted)
        else:
            found = any(other == item for other in wanted)
        if not found:
            raise failed(
                f"The order in patch list:\n{go_text(patched)}\n doesn't match "
                f"$setElementOrder list:\n{go_text(order)}\n"
            )


def _merge_list(original: list[Any], patch: list[Any], schema: SchemaLike) -> list[Any]:
    if not original and not patch:
        return original
    if any(isinstance(item, list) for item in (*original, *patch)):
        raise inapplicable()
    if not all(isinstance(item, dict) for item in (*original, *patch)):
        if any(isinstance(item, dict) for item in (*original, *patch)):
            shown = go_text([original, patch])
            raise failed(f"list element types are not identical: {shown}")
        merged = list(dict.fromkeys([*original, *patch]))
        return in_order(merged, patch, original, "")
    merge_key = schema.patch_merge_key
    if not merge_key:
        raise failed("cannot merge lists without merge key for type struct")
    original, patch = _special(original, patch, merge_key)
    merged = list(original)
    for item in patch:
        value = _key_of(item, merge_key)
        at = next((i for i, one in enumerate(merged) if one.get(merge_key) == value), -1)
        if at < 0:
            merged.append(_plain(item))
        else:
            merged[at] = _merge_map(merged[at], item, schema.item)
    return in_order(merged, patch, original, merge_key)


def _key_of(item: Obj, merge_key: str) -> Any:
    if merge_key not in item:
        raise failed(f"map: {go_text(item)} does not contain declared merge key: {merge_key}")
    return item[merge_key]


def _special(original: list[Any], patch: list[Any], merge_key: str) -> tuple[list[Any], list[Any]]:
    """Carry out the items that are directives; return both lists without them."""
    ordinary = []
    replaced = False
    for item in patch:
        match item.get(_PATCH):
            case None:
                ordinary.append(item)
            case "delete":
                value = _key_of(item, merge_key)
                original = [one for one in original if one.get(merge_key) != value]
            case "replace":
                replaced = True
            case "merge":
                raise failed("merging lists cannot yet be specified in the patch")
            case other:
                raise failed(f"unknown patch type: {go_text(other)} in map: {go_text(item)}")
    return (ordinary, []) if replaced else (original, ordinary)


def _plain(value: Any) -> Any:
    """Return a value that had no counterpart: without nulls in objects, without directives."""
    if isinstance(value, dict):
        return {
            key: _plain(part)
            for key, part in value.items()
            if part is not None
            and key not in (_PATCH, _RETAIN_KEYS)
            and not key.startswith((_SET_ORDER, _DELETE_FROM))
        }
    if isinstance(value, list):
        return [
            _plain(part)
            for part in value
            if not (isinstance(part, dict) and part.get(_PATCH) == "delete")
        ]
    return value
