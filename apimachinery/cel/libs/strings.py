"""Strings: CEL's own functions, and those of its strings library that Kubernetes has."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from apimachinery.cel.errors import EvalError
from apimachinery.cel.functions import Overload, function
from apimachinery.cel.libs.printf import printf
from apimachinery.cel.regexes import compile_pattern

_SPACES = "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
_SPACES += "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_UPPER = {ord(char): ord(char) - 32 for char in "abcdefghijklmnopqrstuvwxyz"}
_LOWER = {ord(char): ord(char) + 32 for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def _char_at(text: str, at: int) -> str:
    if not 0 <= at <= len(text):
        raise EvalError(f"index out of range: {at}")
    return text[at : at + 1]


def _index_of(text: str, part: str, start: int = 0) -> int:
    if part == "":
        return start
    if not 0 <= start < max(1, len(text)):
        raise EvalError(f"index out of range: {start}")
    return text.find(part, start)


def _last_index_of(text: str, part: str, end: int | None = None) -> int:
    if part == "":
        return len(text) if end is None else end
    if end is not None and not 0 <= end < max(1, len(text)):
        raise EvalError(f"index out of range: {end}")
    return text.rfind(part) if end is None else text.rfind(part, 0, end + len(part))


def _join(parts: list[Any], between: str = "") -> str:
    if not all(isinstance(each, str) for each in parts):
        raise EvalError("no such overload")
    return between.join(parts)


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    return text.replace(old, new, max(-1, count))


def _split(text: str, between: str, most: int = -1) -> list[str]:
    if most == 0:
        return []
    if between:
        return text.split(between, most - 1 if most > 0 else -1)
    if most < 0 or most >= len(text):
        return list(text)
    return [*text[: most - 1], text[most - 1 :]]


def _substring(text: str, start: int, end: int | None = None) -> str:
    if not 0 <= start <= len(text):
        raise EvalError(f"index out of range: {start}")
    if end is None:
        return text[start:]
    if not 0 <= end <= len(text):
        raise EvalError(f"index out of range: {end}")
    if start > end:
        raise EvalError(f"invalid substring range. start: {start}, end: {end}")
    return text[start:end]


def _matches(text: str, pattern: str) -> bool:
    return compile_pattern(pattern).search(text) is not None


def _quote(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted.replace("\\u0007", "\\a").replace("\\u000b", "\\v")


def _both(name: str, args: str, result: str, run: Callable[..., Any]) -> list[Overload]:
    return [function(f"string.{name}({args}) -> {result}", run)]


STRINGS: list[Overload] = [
    *_both("contains", "string", "bool", lambda text, part: part in text),
    *_both("startsWith", "string", "bool", lambda text, part: text.startswith(part)),
    *_both("endsWith", "string", "bool", lambda text, part: text.endswith(part)),
    function("string.matches(string) -> bool", _matches),
    function("matches(string, string) -> bool", _matches),
    *_both("charAt", "int", "string", _char_at),
    *_both("indexOf", "string", "int", _index_of),
    *_both("indexOf", "string, int", "int", _index_of),
    *_both("lastIndexOf", "string", "int", _last_index_of),
    *_both("lastIndexOf", "string, int", "int", _last_index_of),
    function("list(string).join() -> string", _join),
    function("list(string).join(string) -> string", _join),
    *_both("lowerAscii", "", "string", lambda text: text.translate(_LOWER)),
    *_both("upperAscii", "", "string", lambda text: text.translate(_UPPER)),
    function("string.replace(string, string) -> string", _replace),
    function("string.replace(string, string, int) -> string", _replace),
    *_both("split", "string", "list(string)", _split),
    *_both("split", "string, int", "list(string)", _split),
    *_both("substring", "int", "string", _substring),
    *_both("substring", "int, int", "string", _substring),
    *_both("trim", "", "string", lambda text: text.strip(_SPACES)),
    *_both("format", "list(dyn)", "string", printf),
    function("strings.quote(string) -> string", _quote),
]
