"""The order of a merged list: the patch's own items in its order, the others where they were."""

from __future__ import annotations

from typing import Any


def in_order(items: list[Any], wanted: list[Any], before: list[Any], merge_key: str) -> list[Any]:
    """Return `items` in the order of `wanted`, the rest interleaved by the order of `before`."""
    wanted_at = _positions(wanted, merge_key)
    before_at = _positions(before, merge_key)
    named = [item for item in items if _key(item, merge_key) in wanted_at]
    others = [item for item in items if _key(item, merge_key) not in wanted_at]
    named.sort(key=lambda item: wanted_at[_key(item, merge_key)])
    others.sort(key=lambda item: before_at.get(_key(item, merge_key), len(before)))
    return _interleave(others, named, before_at, merge_key)


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
        positions.setdefault(_key(item, merge_key), index)
    return positions


def _key(item: Any, merge_key: str) -> Any:
    if isinstance(item, dict):
        value = item.get(merge_key)
        return repr(value) if isinstance(value, (dict, list)) else value
    return item
