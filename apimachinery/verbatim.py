"""JSON that counts by its bytes: what Go keeps as it was sent, and compares so."""

from __future__ import annotations

import json
from typing import Any

import orjson

_BLANKS = " \t\r\n"
_DECODER = json.JSONDecoder()
# Go's encoder writes these as escapes wherever they stand.
_ESCAPED = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_ESCAPES = str.maketrans(_ESCAPED)
_LINES = str.maketrans("\t\r\n", "   ")


class Verbatim(dict[str, Any]):
    """An object together with the text that it was read from."""

    def __init__(self, value: dict[str, Any], text: str) -> None:
        super().__init__(value)
        self.text = text


def member(raw: bytes, name: str) -> str:
    """Return the text of a member of a JSON object, "" where it has none. `raw` is good JSON.

    It is on one line: which blanks stand between two values is forgotten, not how many.
    """
    text, found = raw.decode(), ""
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] == '"':
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, at)
        if key == name:
            found = text[at:end]
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found.translate(_LINES)


def _skip(text: str, at: int) -> int:
    while text[at] in _BLANKS:
        at += 1
    return at


def compact(text: str) -> str:
    """Return a JSON text as Go's encoder passes it on: without blanks, with its own escapes."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == '"':
            _, end = _DECODER.raw_decode(text, at)
        else:
            end = text.find('"', at)
            end = len(text) if end < 0 else end
        part = text[at:end]
        parts.append(part if text[at] == '"' else part.replace(" ", ""))
        at = end
    return "".join(parts).translate(_ESCAPES)


def encoded(value: Any) -> str:
    """Return what Go's encoder makes of maps: sorted keys, no blanks, its own escapes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode().translate(_ESCAPES)


def as_sent(value: Any) -> Any:
    """Serialize a Verbatim in its own words: a `default` for orjson, which passes subclasses."""
    if isinstance(value, Verbatim):
        return orjson.Fragment(value.text)
    if isinstance(value, dict):
        return {**value}
    if isinstance(value, list):
        return [*value]
    if isinstance(value, str):
        return str(value)
    raise TypeError(type(value).__name__)
