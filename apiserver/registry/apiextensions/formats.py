"""Warnings about formats of texts that are ignored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apimachinery.gotext import quoted
from apimachinery.meta import Obj
from apimachinery.structural.formats import is_known_of_texts

_ONE = ("not", "items", "additionalProperties", "additionalItems")
_MANY = ("allOf", "anyOf", "oneOf")
_NAMED = ("properties", "patternProperties", "definitions", "dependencies")


def format_warnings(spec: Obj, before: Obj | None = None) -> list[str]:
    """Return a warning for each format that nobody knows, and that was not there before."""
    known = set(_unrecognized(before)) if before is not None else set()
    found = dict.fromkeys(_unrecognized(spec))
    return [f"unrecognized format {quoted(each)}" for each in found if each not in known]


def _unrecognized(spec: Obj) -> Iterator[str]:
    for version in spec.get("versions") or ():
        for node in _nodes((version.get("schema") or {}).get("openAPIV3Schema")):
            name = node.get("format")
            if name and node.get("type") == "string" and not is_known_of_texts(name):
                yield name


def _nodes(node: Any) -> Iterator[Obj]:
    """Yield a schema and all that are within it."""
    if isinstance(node, list):  # items may be several, which is refused later
        for each in node:
            yield from _nodes(each)
    if not isinstance(node, dict):
        return
    yield node
    for name in (*_ONE, *_MANY):
        yield from _nodes(node.get(name))
    for name in _NAMED:
        for each in (node.get(name) or {}).values():
            yield from _nodes(each)
