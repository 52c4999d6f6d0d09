"""Strategic merge patch: a merge patch that knows which lists merge by key, and directives.

`$patch: replace|delete`, `$retainKeys`, `$setElementOrder/<list>` and
`$deleteFromPrimitiveList/<list>` mean what k8s.io/apimachinery/pkg/util/strategicpatch says, and
what does not fit is refused in its words.
"""

from __future__ import annotations

from typing import Any

from apimachinery.errors import BadRequest
from apimachinery.meta import Obj
from apimachinery.patch import lists
from apimachinery.patch.lists import DELETE_FROM, PATCH, RETAIN_KEYS, SET_ORDER
from apimachinery.patch.refusals import json_type
from apimachinery.patch.shapes import SchemaLike, field_of, merges, replaces


def apply(doc: Obj, patch: Any, schema: SchemaLike | None) -> Obj:
    """Return `doc` with the patch merged in by the types' own rules. Raises ApiError."""
    if patch is None:
        return doc
    if not isinstance(patch, dict):
        raise BadRequest(
            f"json: cannot unmarshal {json_type(patch)} into Go value of type "
            "map[string]interface {}"
        )
    return merge_map(doc, patch, schema)


def merge_map(original: Obj, patch: Obj, schema: SchemaLike | None) -> Obj:
    """Return an object with a patch of it merged in."""
    if PATCH in patch:
        return _directed(patch)
    rest = dict(patch)
    merged = _retained(original, rest)
    for key in [key for key in rest if key.startswith(SET_ORDER)]:
        _merge_ordered(merged, rest, key, schema)
    for key, value in rest.items():
        if key.startswith(DELETE_FROM):
            _merge_field(merged, _list_name(key, DELETE_FROM), value, schema, deletes=True)
        else:
            _merge_field(merged, key, value, schema)
    return merged


def _directed(patch: Obj) -> Obj:
    if patch[PATCH] == "replace":
        return {key: value for key, value in patch.items() if key != PATCH}
    if patch[PATCH] == "delete":
        return {}
    raise lists.unknown_directive(patch)


def _merge_field(
    merged: Obj, key: str, value: Any, schema: SchemaLike | None, *, deletes: bool = False
) -> None:
    """Merge one field of a patch, in place; with `deletes` it lists what is to go."""
    if value is None:
        merged.pop(key, None)
    elif key in merged:
        merged[key] = _merge_value(merged[key], value, schema, key, deletes=deletes)
    elif not deletes and not lists.has_directive(value):
        merged[key] = lists.without_directives(value)


def _merge_value(
    original: Any, value: Any, schema: SchemaLike | None, key: str, *, deletes: bool
) -> Any:
    if isinstance(original, dict) and isinstance(value, dict):
        field = field_of(schema, key)
        return value if replaces(field) else merge_map(original, value, field)
    if isinstance(original, list) and isinstance(value, list):
        field = field_of(schema, key)
        if field is not None and merges(field):
            return lists.merge_list(original, value, field, merge_map, deletes=deletes)
        return value
    return original if deletes else value


def _retained(original: Obj, rest: Obj) -> Obj:
    """Return a copy of the original without what `$retainKeys` leaves out."""
    if RETAIN_KEYS not in rest:
        return dict(original)
    keys = rest.pop(RETAIN_KEYS)
    broken = BadRequest("invalid patch format of retainKeys")
    if not isinstance(keys, list):
        raise broken
    for key, value in rest.items():
        directive = key.startswith((DELETE_FROM, SET_ORDER))
        if value is not None and not directive and key not in keys:
            raise broken
    return {key: value for key, value in original.items() if key in keys}


def _list_name(key: str, directive: str) -> str:
    """Return the list that a directive like `$setElementOrder/ports` is about."""
    start, slash, name = key.partition("/")
    if start != directive or not slash:
        what = "primitive" if directive == DELETE_FROM else "setElementOrder"
        raise BadRequest(f"invalid patch format of {what} list")
    return name


def _merge_ordered(merged: Obj, rest: Obj, key: str, schema: SchemaLike | None) -> None:
    """Merge one list and put it into the order that the patch asks for, in place."""
    order = _as_list(rest.pop(key))
    name = _list_name(key, SET_ORDER)
    original = _as_list(merged[name]) if name in merged else None
    patched = _as_list(rest[name]) if name in rest else None
    field = field_of(schema, name)
    merge_key = field.patch_merge_key if field is not None else ""
    lists.check_order(patched or [], order, merge_key)
    if original is not None and patched is not None:
        found = patched
        if field is not None and merges(field):
            found = lists.merge_list(original, patched, field, merge_map)
    elif original is not None:
        found = original
    elif patched is not None:
        found = lists.without_directives(patched)
    else:
        return
    before = lists.places_before(original or [], patched or [], found, merge_key)
    merged[name] = lists.in_order(found, order, before, merge_key)
    lists.check_same_type(original or [], patched or [], may_be_empty=False)
    rest.pop(name, None)


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    raise lists.not_expected("[]interface {}", value)
