"""Whether an applied configuration fits its type, in the words of structured-merge-diff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apimachinery import gotext
from apimachinery.apply import fieldset
from apimachinery.apply.plans import KEYED, VALUES, Plan

_NUMERIC = frozenset({"integer", "number"})
_TEXT = frozenset({"string", "bytes"})
# Numbers or texts: what else they have to be is looked at when the object is read.
_UNTYPED = frozenset({"quantity", "int-or-string", "time", "micro-time"})


def problems(plan: Plan, value: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield what is wrong with a value: undeclared fields, wrong types, bad list items."""
    if value is None:
        return
    kind = plan.scalar
    if kind in ("object", "map"):
        if not isinstance(value, dict):
            yield _say(path, f"expected map, got {_shown(value)}")
        elif kind == "map":
            for key, child in value.items():
                yield from problems(plan.parts, child, (*path, f"f:{key}"))
        else:
            yield from _struct_problems(plan, value, path)
    elif kind == "array":
        if not isinstance(value, list):
            yield _say(path, f"expected list, got {_shown(value)}")
        else:
            yield from _item_problems(plan, value, path)
    elif why := _scalar_problem(kind, value):
        yield _say(path, why)


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
            return


def _scalar_problem(kind: str, value: Any) -> str:
    given = gotext.kind(value)
    if kind in _NUMERIC and given not in ("int64", "float64"):
        return f"expected numeric (int or float), got {gotext.type_name(value)}"
    if kind in _TEXT and given != "string":
        return f"expected string, got &value.valueUnstructured{{Value:{gotext.syntax(value)}}}"
    if kind == "boolean" and given != "bool":
        return f"expected boolean, got {_shown(value)}"
    if kind in _UNTYPED and given in ("map", "slice"):
        return f"expected any scalar, got {_shown(value)}"
    return ""


def _item_problems(plan: Plan, items: list[Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield what is wrong with the items of a list; nothing can be said of one without a key."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        element = f"i:{index}"
        if plan.kind in (KEYED, VALUES):
            why = _keyless(plan, item)
            if why:
                yield _say(path, f"element {index}: {why}")
                return
            element = plan.element(item) or ""
            if element in seen:
                yield _say(path, f"duplicate entries for key {fieldset.path_text([element])}")
            seen.add(element)
        yield from problems(plan.parts, item, (*path, element))


def _keyless(plan: Plan, item: Any) -> str:
    """Return why an item has no key, "" where it has one."""
    if plan.kind == VALUES:
        head = "associative list without keys has an element that's"
        if isinstance(item, dict):
            return f"{head} a map type"
        if isinstance(item, list):
            return "not supported: associative list with lists as elements"
        return f"{head} an explicit null" if item is None else ""
    if item is None:
        return "associative list with keys may not have a null element"
    if not isinstance(item, dict):
        return "associative list with keys may not have non-map elements"
    if plan.element(item) is not None:
        return ""
    missing = next(key for key in plan.keys if item.get(key) is None)
    return (
        f'associative list with keys has an element that omits key field "{missing}" '
        "(and doesn't have default value)"
    )


def _say(path: tuple[str, ...], why: str) -> str:
    return f"{fieldset.path_text(path)}: {why}" if path else why


def _shown(value: Any) -> str:
    return f"&{{{gotext.plain(value)}}}"
