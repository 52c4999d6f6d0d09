"""Whether an applied configuration fits its type, in the words of structured-merge-diff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from apimachinery.apply import fieldset
from apimachinery.apply.plans import KEYED, LEAF, MAP, STRUCT, VALUES, Plan

_SCALARS: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "string"),
    "bytes": ((str,), "string"),
    "time": ((str,), "string"),
    "micro-time": ((str,), "string"),
    "integer": ((int, float), "numeric (int or float)"),
    "number": ((int, float), "numeric (int or float)"),
    "boolean": ((bool,), "boolean"),
}


def problems(plan: Plan, value: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield what is wrong with a value: undeclared fields, wrong types, bad list items."""
    if value is None:
        return
    if plan.kind == STRUCT and isinstance(value, dict):
        yield from _struct_problems(plan, value, path)
    elif plan.kind == MAP and isinstance(value, dict):
        for key, child in value.items():
            yield from problems(plan.item, child, (*path, f"f:{key}"))
    elif plan.kind in (KEYED, VALUES) and isinstance(value, list):
        yield from _item_problems(plan, value, path)
    elif plan.kind == LEAF:
        yield from _leaf_problems(plan, value, path)
    elif plan.kind in (STRUCT, MAP):
        yield _say(path, f"expected map, got {_shown(value)}")
    elif plan.kind in (KEYED, VALUES):
        yield _say(path, f"expected list, got {_shown(value)}")


def message(found: list[str]) -> str:
    """Join problems as structured-merge-diff prints them."""
    return found[0] if len(found) == 1 else "\n".join(["errors:", *(f"  {one}" for one in found)])


def _struct_problems(plan: Plan, value: dict[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    known = plan.fields
    for key, child in value.items():
        field = known.get(key)
        if field is not None:
            yield from problems(field.plan, child, (*path, field.element))
        elif not plan.open:
            yield _say((*path, f"f:{key}"), "field not declared in schema")


def _leaf_problems(plan: Plan, value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if plan.scalar in ("object", "map") and not isinstance(value, dict):
        yield _say(path, f"expected map, got {_shown(value)}")
    elif plan.scalar == "array" and not isinstance(value, list):
        yield _say(path, f"expected list, got {_shown(value)}")
    elif plan.scalar in _SCALARS:
        types, words = _SCALARS[plan.scalar]
        fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
        if not fits:
            yield _say(path, f"expected {words}, got {_shown(value)}")


def _item_problems(plan: Plan, items: list[Any], path: tuple[str, ...]) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if plan.kind == KEYED and not isinstance(item, dict):
            kind = "null element" if item is None else "non-map elements"
            why = f"associative list with keys may not have {_article(kind)}"
            yield _say(path, f"element {index}: {why}")
            continue
        element = plan.element(item)
        if element is None:
            missing = next(key for key in plan.keys if item.get(key) is None)
            why = (
                f'associative list with keys has an element that omits key field "{missing}" '
                "(and doesn't have default value)"
            )
            yield _say(path, f"element {index}: {why}")
            continue
        if element in seen:
            yield _say(path, f"duplicate entries for key {fieldset.path_text([element])}")
        seen.add(element)
        yield from problems(plan.item, item, (*path, element))


def _article(kind: str) -> str:
    return f"a {kind}" if kind.startswith("null") else kind


def _say(path: tuple[str, ...], why: str) -> str:
    return f"{fieldset.path_text(path)}: {why}" if path else why


def _shown(value: Any) -> str:
    return f"&{{{orjson.dumps(value).decode()}}}"
