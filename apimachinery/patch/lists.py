"""Lists in strategic merge patches: merging by key or as sets, directives of items, order.

What a patch names stands in the patch's order, what it does not name keeps its order, and the two
are interleaved by where they stood before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apimachinery import gotext
from apimachinery.errors import ApiError
from apimachinery.meta import Obj
from apimachinery.patch.refusals import failed, inapplicable
from apimachinery.patch.shapes import SchemaLike

PATCH = "$patch"
RETAIN_KEYS = "$retainKeys"
SET_ORDER = "$setElementOrder"
DELETE_FROM = "$deleteFromPrimitiveList"

# More items than any list has that somebody orders by hand.
_SORTED_BY_INSERTION = 1000

MergeMap = Callable[[Obj, Obj, SchemaLike | None], Obj]


def merge_list(
    original: list[Any],
    patch: list[Any],
    schema: SchemaLike,
    merge_map: MergeMap,
    *,
    deletes: bool = False,
) -> list[Any]:
    """Return a list with a patch of it merged in; with `deletes`, scalars without the patch's."""
    if not original and not patch:
        return original
    if check_same_type(original, patch) is not dict:
        if deletes:
            gone = set(patch)
            return [value for value in original if value not in gone]
        return in_order(list(dict.fromkeys([*original, *patch])), patch, original, "")
    merge_key = schema.patch_merge_key
    if not merge_key:
        raise failed("cannot merge lists without merge key for type struct")
    original, patch = _special(original, patch, merge_key)
    merged = list(original)
    places = _positions(merged, merge_key)
    for item in patch:
        _key_of(item, merge_key)
        at = places.setdefault(_key(item, merge_key), len(merged))
        if at == len(merged):
            merged.append(item)
        else:
            merged[at] = merge_map(merged[at], item, schema.item)
    return in_order(merged, patch, original, merge_key)


def check_same_type(*given: list[Any], may_be_empty: bool = True) -> type | None:
    """Return the type that all elements of lists have. Raises ApiError where they differ."""
    found: list[type] = list(dict.fromkeys(one.__class__ for items in given for one in items))
    if not found:
        if not may_be_empty:
            raise failed("no elements in any of the given slices")
        return None
    if found[0] is list:
        raise inapplicable()
    if len(found) > 1:
        raise failed(f"list element types are not identical: {gotext.plain(list(given))}")
    return found[0]


def _key_of(item: Obj, merge_key: str) -> Any:
    if merge_key not in item:
        shown = gotext.plain(item)
        raise failed(f"map: {shown} does not contain declared merge key: {merge_key}")
    return item[merge_key]


def _special(original: list[Any], patch: list[Any], merge_key: str) -> tuple[list[Any], list[Any]]:
    """Carry out the items that are directives; return both lists without them."""
    ordinary = []
    replaced = False
    gone = set()
    for item in patch:
        if PATCH not in item:
            ordinary.append(item)
        elif item[PATCH] == "delete":
            _key_of(item, merge_key)
            gone.add(_key(item, merge_key))
        elif item[PATCH] == "replace":
            replaced = True
        elif item[PATCH] == "merge":
            raise failed("merging lists cannot yet be specified in the patch")
        else:
            raise unknown_directive(item)
    if replaced:
        return ordinary, []
    if gone:
        original = [one for one in original if _key(one, merge_key) not in gone]
    return original, ordinary


def unknown_directive(patch: Obj) -> ApiError:
    """Return the refusal of a `$patch` that is none."""
    return failed(f"unknown patch type: {gotext.text(patch[PATCH])} in map: {gotext.plain(patch)}")


def has_directive(value: Any) -> bool:
    """Tell whether a value of a patch says itself how it is to be merged."""
    return isinstance(value, dict) and PATCH in value


def without_directives(value: Any) -> Any:
    """Return a value that had no counterpart: without nulls, and without what has a directive."""
    if isinstance(value, dict):
        return {
            key: without_directives(part)
            for key, part in value.items()
            if part is not None and not has_directive(part)
        }
    if isinstance(value, list):
        return [without_directives(part) for part in value if not has_directive(part)]
    return value


def check_order(patched: list[Any], order: list[Any], merge_key: str) -> None:
    """Refuse a list whose items stand in another order than the order list says."""
    if not patched or not order:
        return
    at = 0
    for item in patched:
        if merge_key and has_directive(item) and item[PATCH] == "delete":
            continue
        if at < len(order) and has_directive(item):
            continue
        while at < len(order) and not _same_key(item, order[at], merge_key):
            at += 1
        if at == len(order):
            raise failed(
                f"The order in patch list:\n{gotext.plain(patched)}\n doesn't match "
                f"{SET_ORDER} list:\n{gotext.plain(order)}\n"
            )
        at += 1


def _same_key(item: Any, other: Any, merge_key: str) -> bool:
    if not merge_key:
        return bool(item == other)
    for one in (item, other):
        if not isinstance(one, dict):
            raise not_expected("map[string]interface {}", one)
    return bool(_key_of(item, merge_key) == _key_of(other, merge_key))


def not_expected(wanted: str, given: Any) -> ApiError:
    """Return the refusal of a value of another Go type than was due."""
    shown = "%!s(<nil>)" if given is None else gotext.type_name(given)
    return failed(f"expected a {wanted}, but received a {shown}")


def in_order(items: list[Any], wanted: list[Any], before: list[Any], merge_key: str) -> list[Any]:
    """Return `items` in the order of `wanted`, the rest interleaved by the order of `before`."""
    wanted_at = _positions(wanted, merge_key)
    before_at = _positions(before, merge_key)
    named: list[Any] = []
    others: list[Any] = []
    for item in items:
        if merge_key:
            _key_of(item, merge_key)
        (named if _key(item, merge_key) in wanted_at else others).append(item)
    named.sort(key=lambda item: wanted_at[_key(item, merge_key)])
    return _interleave(_as_before(others, before_at, merge_key), named, before_at, merge_key)


def _as_before(items: list[Any], before_at: dict[Any, int], merge_key: str) -> list[Any]:
    """Sort by the order of before. What was not there goes before all that stands in front of it.

    That is what an insertion sort makes of Kubernetes' comparison, which is of no order at all. It
    is not made of long lists, where it would take its time.
    """
    if len(items) > _SORTED_BY_INSERTION:
        return sorted(items, key=lambda item: before_at.get(_key(item, merge_key), -1))
    result: list[Any] = []
    places: list[int] = []
    for item in items:
        place = before_at.get(_key(item, merge_key), -1)
        at = len(places)
        while at and (place < 0 or places[at - 1] < 0 or places[at - 1] > place):
            at -= 1
        result.insert(at, item)
        places.insert(at, place)
    return result


def places_before(
    original: list[Any], patch: list[Any], merged: list[Any], merge_key: str
) -> list[Any]:
    """Return what stood where before an ordered merge: a new item takes a deleted one's place.

    Kubernetes deletes from and adds to the list that it then compares with.
    """
    left = {_key(item, merge_key) for item in merged} if merge_key else set()
    kept = [item for item in original if _key(item, merge_key) in left]
    if not merge_key or len(kept) == len(original):
        return original
    known = {_key(item, merge_key) for item in kept}
    new = [item for item in patch if _key(item, merge_key) in left - known]
    return (kept + new)[: len(original)]


def _interleave(
    others: list[Any], named: list[Any], before_at: dict[Any, int], merge_key: str
) -> list[Any]:
    result: list[Any] = []
    left, right = list(reversed(others)), list(reversed(named))
    while left and right:
        one = before_at.get(_key(left[-1], merge_key))
        other = before_at.get(_key(right[-1], merge_key))
        earlier = one is not None and other is not None and one < other
        result.append(left.pop() if earlier else right.pop())
    return result + left[::-1] + right[::-1]


def _positions(items: list[Any], merge_key: str) -> dict[Any, int]:
    positions: dict[Any, int] = {}
    for index, item in enumerate(items):
        if merge_key and not isinstance(item, dict):
            raise failed(f"value for key {index} is not a map.")
        positions.setdefault(_key(item, merge_key), index)
    return positions


def _key(item: Any, merge_key: str) -> Any:
    if isinstance(item, dict):
        value = item.get(merge_key)
        return repr(value) if isinstance(value, (dict, list)) else value
    return item
