"""Whether a value keeps to a schema, in the words of Kubernetes' validator.

On update, what was wrong before and has not changed is let be (ratcheting): a schema that became
stricter does not hold up changes elsewhere in an object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
import re2

from apimachinery.meta import Obj
from apimachinery.structural import formats
from apimachinery.structural.schema import MISSING
from apimachinery.validation.field import (
    ErrorType,
    FieldError,
    Path,
    invalid,
    not_supported,
    too_long,
    too_many,
    type_invalid,
)

# A path of nothing, as Go prints it.
NOWHERE = "<nil>"
_NAMES = {bool: "boolean", str: "string", int: "integer", float: "number", list: "array"}
# A number is taken for a whole one where it is as near as this to one that a float holds exactly.
_NEAR, _MOST_EXACT = 1e-9, 2**53 - 1
_JUNCTORS = frozenset({"anyOf", "oneOf", "allOf", "not"})
_FORMATS = {int: "int64", float: "double"}


@dataclass(slots=True)
class _Found:
    """What is wrong with a value, and how many checks it passed: the nearest of many is shown."""

    errors: list[FieldError] = field(default_factory=list)
    matches: int = 0

    def add(self, other: _Found) -> None:
        self.errors += other.errors
        self.matches += other.matches


def schema_errors(
    value: Any, node: Obj, *, old: Any = MISSING, base: str = ""
) -> Iterator[FieldError]:
    """Yield what is wrong with a value; `base` is where it stands in its object."""
    yield from _Walk(base).visit(value, node, "", old).errors


class _Walk:
    def __init__(self, base: str) -> None:
        self._base = base

    def visit(self, value: Any, node: Obj, name: str, old: Any) -> _Found:
        """Validate a value, and forgive it what an equal old value was not spared either."""
        found = self._check(value, node, name, old)
        if found.errors and old is not MISSING and equal(value, old):
            found.errors = []
        return found

    def _check(self, value: Any, node: Obj, name: str, old: Any) -> _Found:
        found = _Found(matches=1)
        self._type(value, node, name, found)
        if value is None:
            self._enum(value, node, name, found)
            return found
        if not _JUNCTORS.isdisjoint(node):
            self._junctors(value, node, name, old, found)
        if isinstance(value, str):
            self._text(value, node, name, found)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self._number(value, node, name, found)
        elif isinstance(value, list):
            self._items(value, node, name, old, found)
        self._enum(value, node, name, found)
        if isinstance(value, dict):
            self._fields(value, node, name, old, found)
        return found

    # -- errors ----------------------------------------------------------------------------------

    def _path(self, name: str) -> Path:
        text = name.removeprefix(".")
        parts = [part for part in (self._base, text) if part]
        return Path(".".join(parts) or NOWHERE)

    def _say(self, name: str, value: Any, what: str, found: _Found) -> None:
        found.errors.append(invalid(self._path(name), value, f"{name} in body {what}"))

    def _wrong_type(self, name: str, wanted: str, got: str, found: _Found) -> None:
        why = f"{name} in body must be of type {wanted}: {orjson.dumps(got).decode()}"
        found.errors.append(type_invalid(self._path(name), got, why))

    def _of_whole(self, what: str, found: _Found) -> None:
        found.errors.append(invalid(Path(self._base or NOWHERE), "", what))

    # -- values ----------------------------------------------------------------------------------

    def _type(self, value: Any, node: Obj, name: str, found: _Found) -> None:
        form = node.get("format") or ""
        if not form and value is not None and type_name(value) == node.get("type"):
            found.matches += 1
            return
        wanted = _types(node)
        if not formats.is_known(form):
            form = ""
        if not wanted and not form:
            return
        if value is None:
            if wanted and not node.get("nullable"):
                self._wrong_type(name, ",".join(wanted), "null", found)
            return
        got = type_name(value)
        fits = got in wanted or _is_near(value, wanted)
        textual = isinstance(value, (str, list))
        if not textual and form and not fits and _FORMATS.get(type(value)) != form:
            self._wrong_type(name, form, _FORMATS.get(type(value), ""), found)
        elif textual and form and not {"number", "integer"} & set(wanted):
            return  # the format says it all
        elif not fits:
            self._wrong_type(name, ",".join(wanted), got, found)
        else:
            found.matches += 1

    def _text(self, value: str, node: Obj, name: str, found: _Found) -> None:
        longest, shortest = node.get("maxLength"), node.get("minLength")
        if longest is not None and len(value) > longest:
            found.errors.append(too_long(self._path(name), value, longest))
        if shortest is not None and len(value) < shortest:
            self._say(name, value, f"should be at least {shortest} chars long", found)
        pattern = node.get("pattern")
        if pattern and not matches(pattern, value):
            self._say(name, value, f"should match '{pattern}'", found)
        form = node.get("format") or ""
        if form and not formats.fits(form, value):
            self._wrong_type(name, form, value, found)

    def _number(self, value: float, node: Obj, name: str, found: _Found) -> None:
        step, low, high = node.get("multipleOf"), node.get("minimum"), node.get("maximum")
        if isinstance(value, int) and step and step >= 1:
            step = int(step)
        if step and not _is_multiple(value, step):
            self._say(name, value, f"should be a multiple of {number(step)}", found)
        if high is not None:
            strict = node.get("exclusiveMaximum")
            if value > high or (strict and value == high):
                words = "less than" if strict else "less than or equal to"
                self._say(name, value, f"should be {words} {number(high)}", found)
        if low is not None:
            strict = node.get("exclusiveMinimum")
            if value < low or (strict and value == low):
                words = "greater than" if strict else "greater than or equal to"
                self._say(name, value, f"should be {words} {number(low)}", found)

    def _enum(self, value: Any, node: Obj, name: str, found: _Found) -> None:
        allowed = node.get("enum")
        if not allowed or any(equal(value, one) for one in allowed):
            return
        shown = [one if isinstance(one, str) else orjson.dumps(one).decode() for one in allowed]
        found.errors.append(not_supported(self._path(name), value, shown))

    # -- containers ------------------------------------------------------------------------------

    def _items(self, value: list[Any], node: Obj, name: str, old: Any, found: _Found) -> None:
        items = node.get("items")
        if isinstance(items, dict):
            before = _Before(old, node)
            for at, item in enumerate(value):
                found.add(self.visit(item, items, f"{name}[{at}]", before.of(at, item)))
        fewest, most = node.get("minItems"), node.get("maxItems")
        if fewest is not None and len(value) < fewest:
            self._say(name, len(value), f"should have at least {fewest} items", found)
        if most is not None and len(value) > most:
            found.errors.append(too_many(self._path(name), len(value), most))

    def _fields(self, value: Obj, node: Obj, name: str, old: Any, found: _Found) -> None:
        fewest, most = node.get("minProperties"), node.get("maxProperties")
        if fewest is not None and len(value) < fewest:
            self._say(name, len(value), f"should have at least {fewest} properties", found)
            return
        if most is not None and len(value) > most:
            found.errors.append(too_many(self._path(name), len(value), most))
            return
        before = old if isinstance(old, dict) else {}
        known = node.get("properties") or {}
        others = node.get("additionalProperties")
        for key, part in value.items():
            own = known.get(key)
            if own is not None:
                where = f"{name}.{key}" if name else key
            elif isinstance(others, dict):
                own, where = others, f"{name}.{key}"
            else:
                continue
            found.add(self.visit(part, own, where, before.get(key, MISSING)))
        for key in node.get("required") or ():
            if key not in value:
                path = str(self._path(f"{name}.{key}"))
                found.errors.append(FieldError(ErrorType.REQUIRED, path))

    # -- conditions ------------------------------------------------------------------------------

    def _junctors(self, value: Any, node: Obj, name: str, old: Any, found: _Found) -> None:
        quoted = orjson.dumps(name).decode()

        def outcomes(junctor: str) -> list[_Found]:
            return [self._check(value, part, name, old) for part in node.get(junctor) or ()]

        if node.get("anyOf"):
            tried = outcomes("anyOf")
            if all(one.errors for one in tried):
                self._of_whole(f"{quoted} must validate at least one schema (anyOf)", found)
                found.errors += _nearest(tried).errors
        if node.get("oneOf"):
            tried = outcomes("oneOf")
            valid = sum(not one.errors for one in tried)
            if valid != 1:
                why = f"Found {valid} valid alternatives" if valid else "Found none valid"
                what = f"{quoted} must validate one and only one schema (oneOf). {why}"
                self._of_whole(what, found)
                found.errors += _nearest(tried).errors if not valid else []
        if node.get("allOf"):
            tried = outcomes("allOf")
            for one in tried:
                found.add(one)
            if any(one.errors for one in tried):
                none = ". None validated" if all(one.errors for one in tried) else ""
                self._of_whole(f"{quoted} must validate all the schemas (allOf){none}", found)
        if node.get("not") is not None and not self._check(value, node["not"], name, old).errors:
            self._of_whole(f"{quoted} must not validate the schema (not)", found)


class _Before:
    """Finds the old item that an item of a list comes from."""

    def __init__(self, old: Any, node: Obj) -> None:
        self._old = old if isinstance(old, list) else []
        self._type = node.get("x-kubernetes-list-type")
        self._keys: list[str] = node.get("x-kubernetes-list-map-keys") or []

    def of(self, at: int, item: Any) -> Any:
        """Return the old item, MISSING where none is known to be the same."""
        if self._type in ("set", "atomic"):
            return MISSING
        if self._type == "map":
            if not isinstance(item, dict):
                return MISSING
            wanted = [item.get(key) for key in self._keys]
            return next((one for one in self._old if self._key_of(one) == wanted), MISSING)
        return self._old[at] if at < len(self._old) else MISSING

    def _key_of(self, item: Any) -> list[Any] | None:
        return [item.get(key) for key in self._keys] if isinstance(item, dict) else None


def _nearest(tried: list[_Found]) -> _Found:
    return max(tried, key=lambda one: one.matches)


def _types(node: Obj) -> tuple[str, ...]:
    if node.get("x-kubernetes-int-or-string"):
        return ("integer", "string")
    return (node["type"],) if node.get("type") else ()


def type_name(value: Any) -> str:
    """Name the JSON type of a value."""
    return "null" if value is None else _NAMES.get(type(value), "object")


def _is_near(value: Any, wanted: tuple[str, ...]) -> bool:
    """Tell whether a number is of the other type of numbers without loss."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return "number" in wanted
    return isinstance(value, float) and value.is_integer() and "integer" in wanted


def _is_multiple(value: float, step: float) -> bool:
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    quotient = 1 / step * value if step < 1 else value / step
    if not abs(quotient) <= _MOST_EXACT:
        return False
    whole = float(int(quotient))
    rest = abs(quotient - whole)
    return not rest or bool(whole and rest / (abs(quotient) + abs(whole)) < _NEAR)


def number(value: float) -> str:
    """Print a number of a schema as Go does: without a point where it is whole."""
    return str(int(value)) if float(value).is_integer() else str(value)


def equal(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same; true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def matches(pattern: str, text: str) -> bool:
    """Tell whether a text has what a pattern looks for; a pattern that is none holds for all."""
    compiled = _compiled(pattern)
    return compiled is None or compiled.search(text) is not None


def _compiled(pattern: str) -> Any:
    """Return a pattern ready to use, None where RE2 does not take it.

    RE2 takes linear time whatever the pattern, but memory: schemas come from tenants, so of the
    few that need much of it few are kept.
    """
    found = _small(pattern)
    return found if found is not None else _large(pattern)


@lru_cache(maxsize=1024)
def _small(pattern: str) -> Any:
    return _compile(pattern, 1 << 20)


@lru_cache(maxsize=32)
def _large(pattern: str) -> Any:
    return _compile(pattern, 8 << 20)


def _compile(pattern: str, memory: int) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None
