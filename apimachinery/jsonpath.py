"""JSONPath as kubectl and custom columns use it: `.status.conditions[?(@.type=="Ready")].status`.

A path is compiled once; `find` returns every value that it leads to. What is not there is
simply not found. Fields, quoted fields, `*`, indexes, slices, unions, filters and `..` are
understood; templates with text and `range` are kubectl's own affair.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import orjson

from apimachinery.caching import kept_if_short

_Step: TypeAlias = Callable[[Any], Iterator[Any]]

_FIELD = re.compile(r"(?:[^.\[\]{}()\\ ]|\\.)+")
_QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_SLICE = re.compile(r"(-?\d*):(-?\d*)(?::(-?\d*))?")
_FILTER = re.compile(r"(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+)", re.DOTALL)

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class JsonPathError(ValueError):
    """The text is no path that we know."""


class JsonPath:
    """A compiled path."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._steps = tuple(_steps(_bare(text)))

    def find(self, value: Any) -> list[Any]:
        """Return all values that the path leads to, in order."""
        found = [value]
        for step in self._steps:
            found = [result for one in found for result in step(one)]
        return found

    def first(self, value: Any) -> Any:
        """Return the first value, None where there is none."""
        return next(iter(self.find(value)), None)

    def text_of(self, value: Any) -> str:
        """Return all values as kubectl prints them: separated by spaces, objects as JSON."""
        return " ".join(map(_printed, self.find(value)))


@kept_if_short(1024)
def compiled(text: str) -> JsonPath:
    """Return the compiled path. Raises JsonPathError."""
    return JsonPath(text)


def _printed(value: Any) -> str:
    if value is None:
        return "<nil>"
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _bare(text: str) -> str:
    stripped = text.strip()
    if stripped.startswith("{"):
        if not stripped.endswith("}"):
            raise JsonPathError("unclosed action")
        stripped = stripped[1:-1].strip()
    return stripped.removeprefix("$").removeprefix("@")


def _steps(text: str) -> Iterator[_Step]:
    at = 0
    while at < len(text):
        if text.startswith("..", at):
            yield _descend
            at += 2
            if at < len(text) and text[at] != "[":
                step, at = _field(text, at)
                yield step
        elif text[at] == ".":
            at += 1
            if at < len(text) and text[at] != "[":
                step, at = _field(text, at)
                yield step
        elif text[at] == "[":
            end = _closing(text, at)
            yield _bracket(text[at + 1 : end].strip())
            at = end + 1
        elif at == 0:
            step, at = _field(text, at)
            yield step
        else:
            raise JsonPathError(f"unrecognized character in action: {text[at]!r}")


def _field(text: str, at: int) -> tuple[_Step, int]:
    match = _FIELD.match(text, at)
    if match is None:
        raise JsonPathError(f"invalid path {text!r}")
    name = re.sub(r"\\(.)", r"\1", match[0])
    return (_every if name == "*" else _named(name)), match.end()


def _closing(text: str, at: int) -> int:
    depth, quote = 0, ""
    for index in range(at, len(text)):
        char = text[index]
        if quote:
            quote = "" if char == quote and text[index - 1] != "\\" else quote
        elif char in "'\"":
            quote = char
        elif char == "[":
            depth += 1
        elif char == "]":
            depth -= 1
            if not depth:
                return index
    raise JsonPathError("unterminated array")


def _bracket(inner: str) -> _Step:
    if inner.startswith("?(") and inner.endswith(")"):
        return _filter(inner[2:-1].strip())
    if inner == "*":
        return _every
    parts = _split(inner)
    if len(parts) > 1:
        return _union([_bracket(part) for part in parts])
    if quoted := _QUOTED.fullmatch(inner):
        return _named(re.sub(r"\\(.)", r"\1", quoted[1] if quoted[1] is not None else quoted[2]))
    if sliced := _SLICE.fullmatch(inner):
        return _slice(*(int(part) if part else None for part in sliced.groups()))
    if re.fullmatch(r"-?\d+", inner):
        return _index(int(inner))
    if not inner:
        raise JsonPathError("invalid array index")
    return _named(inner)


def _split(inner: str) -> list[str]:
    parts = re.findall(r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,'"])+""", inner)
    return [part.strip() for part in parts]


def _filter(text: str) -> _Step:
    match = _FILTER.fullmatch(text)
    if match is None:
        path = _operand(text)
        return lambda value: (one for one in _items(value) if path(one))
    left, right = _operand(match[1]), _operand(match[3])
    holds = _COMPARISONS[match[2]]

    def step(value: Any) -> Iterator[Any]:
        for one in _items(value):
            sides = left(one), right(one)
            if all(sides) and _holds(holds, sides[0][0], sides[1][0]):
                yield one

    return step


def _operand(text: str) -> Callable[[Any], list[Any]]:
    text = text.strip()
    if text.startswith("@"):
        return JsonPath(text).find
    if quoted := _QUOTED.fullmatch(text):
        constant: Any = quoted[1] if quoted[1] is not None else quoted[2]
    else:
        try:
            constant = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise JsonPathError(f"unrecognized character in filter: {text!r}") from None
    return lambda _: [constant]


def _holds(comparison: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    try:
        return comparison(left, right)
    except TypeError:
        return False


def _named(name: str) -> _Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _index(index: int) -> _Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _slice(start: int | None, end: int | None, stride: int | None) -> _Step:
    if stride is not None and stride <= 0:
        raise JsonPathError("step must be > 0")

    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from value[start:end:stride]

    return step


def _union(steps: Iterable[_Step]) -> _Step:
    every = tuple(steps)
    return lambda value: (found for step in every for found in step(value))


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return list(value.values()) if isinstance(value, dict) else []


def _every(value: Any) -> Iterator[Any]:
    yield from _items(value)


def _descend(value: Any) -> Iterator[Any]:
    yield value
    for child in _items(value):
        if isinstance(child, (dict, list)):
            yield from _descend(child)
