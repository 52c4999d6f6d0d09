"""The `fieldPath` of a rule: a path of names and keys that its schema has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_STEP = re.compile(r"\.([^.\[\]']+)|\['((?:[^'\\]|\\.)*)'\]")
_ESCAPE = re.compile(r"\\(.)")
_CHARACTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class FieldPathError(ValueError):
    """A path that is none, or that leads nowhere."""


class Found(NamedTuple):
    """What a path leads to: the path as errors print it, its first step, and the schema there."""

    text: str
    first: str
    schema: Mapping[str, Any]


def find(text: str, schema: Mapping[str, Any]) -> Found | None:
    """Return what a path leads to, None where it cannot be followed."""
    try:
        return read(text, schema)
    except FieldPathError:
        return None


def read(text: str, schema: Mapping[str, Any], *, keys: bool = True) -> Found:
    """Return what a path leads to; `keys`: it may name them in brackets. Raises FieldPathError."""
    found, first, at = "", "", 0
    while at < len(text):
        if text[at] == "[" and not keys:
            raise FieldPathError("array notation is not allowed")
        match = _STEP.match(text, at)
        if match is None:
            raise FieldPathError(_wrong(text, at))
        name = match[1] if match[1] is not None else _ESCAPE.sub(_character, match[2])
        properties, additional = schema.get("properties"), schema.get("additionalProperties")
        if properties:
            if name not in properties:
                raise FieldPathError("does not refer to a valid field")
            schema = properties[name]
            found += f".{name}" if found else name
        elif isinstance(additional, dict):
            schema = additional
            found += f"[{name}]"
        else:
            raise FieldPathError("does not refer to a valid field")
        first = first or name
        at = match.end()
    return Found(found, first, schema)


def _character(match: re.Match[str]) -> str:
    return _CHARACTERS.get(match[1], match[1])


def _wrong(text: str, at: int) -> str:
    rest = text[at:]
    if rest in (".", "["):
        return "unexpected end of JSON path"
    if rest.startswith("["):
        inner = re.split(r"[\[\].]", rest[1:], maxsplit=1)[0]
        return f"expected single quoted string but got {inner or rest[1:2]}"
    token = re.split(r"[\[\].]", rest, maxsplit=1)[0]
    return f"expected [ or . but got: {token or rest[0]}"
