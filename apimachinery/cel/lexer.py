"""An expression as a row of tokens, and the values of literals."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from apimachinery.cel.errors import Issue
from apimachinery.cel.values import INT_MAX, UINT_MAX, UInt

# An escape that says something.
_VALID = (
    r"""\\(?:[abfnrtv\"'`?\\]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}"""
    r"|[0-3][0-7]{2})"
)
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f]+|//[^\n]*)
    |(?P<text>(?:[bB]?[rR]|[rR][bB])(?:\"{3}(?:.|\n)*?\"{3}|'{3}(?:.|\n)*?'{3}
        |\"[^\"\n\r]*\"|'[^'\n\r]*')
      |[bB]?(?:\"{3}(?:ESC|[^\\])*?\"{3}|'{3}(?:ESC|[^\\])*?'{3}
        |\"(?:ESC|[^\"\\\n\r])*\"|'(?:ESC|[^'\\\n\r])*'))
    |(?P<number>0x[0-9a-fA-F]+[uU]?|[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?
        |[0-9]+[eE][+-]?[0-9]+|[0-9]+[uU]?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<quoted>`[A-Za-z0-9_.\-/ ]+`)
    |(?P<sign>&&|\|\||<=|>=|==|!=|[-+*/%<>!?:.,()\[\]{}])""".replace("ESC", _VALID),
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"""\\(?:(?P<plain>[abfnrtv"'`?\\])|[xX](?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})
    |U(?P<U>[0-9a-fA-F]{8})|(?P<octal>[0-3][0-7]{2})|(?P<wrong>.|$))""",
    re.VERBOSE | re.DOTALL,
)
# The beginning of a token that comes to nothing: half of an operator, a text without an end.
_BEGUN = re.compile(
    r"""[&|=] | (?:"(?:ESC|[^"\\\n\r])* | '(?:ESC|[^'\\\n\r])*)
        (?:\\(?:[xX][0-9a-fA-F]?|[uU][0-9a-fA-F]*|[0-3][0-7]?)?)?
    | `[A-Za-z0-9_.\-/ ]*""".replace("ESC", _VALID),
    re.VERBOSE,
)
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_LAST_CODE_POINT = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Token:
    """One word: its kind is name, quoted, text, number, sign or end."""

    kind: str
    text: str
    offset: int


def tokens(source: str, issues: list[Issue]) -> Iterator[Token]:
    """Yield the tokens of a source, then "end". What is no token is noted and left out."""
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            text = _unreadable(source, at)
            shown = text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
            issues.append(Issue(at, f"Syntax error: token recognition error at: '{shown}'"))
            at += len(text)
            continue
        if match.lastgroup and match.lastgroup != "space":
            yield Token(match.lastgroup, match[0], at)
        at = match.end()
    yield Token("end", "<EOF>", len(source))


def _unreadable(source: str, at: int) -> str:
    """Return what could have become a token, with the character that it failed on."""
    match = _BEGUN.match(source, at)
    return source[at : (match.end() if match is not None else at) + 1]


def number(token: Token, *, negative: bool = False) -> int | float:
    """Return the value of a number. Raises Issue."""
    text = token.text
    sign = -1 if negative else 1
    if text[-1] in "uU" and not negative:
        value = _whole(text[:-1])
        if value > UINT_MAX:
            raise Issue(token.offset, "invalid uint literal")
        return UInt(value)
    if not text.startswith("0x") and set(text) & set(".eE"):
        if math.isinf(float(text)):
            raise Issue(token.offset, "invalid double literal")
        return sign * float(text)
    value = sign * _whole(text)
    if not -INT_MAX - 1 <= value <= INT_MAX:
        raise Issue(token.offset, "invalid int literal")
    return value


def _whole(text: str) -> int:
    """Return a number that is exact where it may be one of 64 bits."""
    if text.startswith("0x"):
        return int(text, 16)
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= len(str(UINT_MAX)) else UINT_MAX + 1


def string(token: Token) -> str | bytes:
    """Return the value of a string or of bytes. Raises Issue."""
    text = token.text
    quote = next(at for at, char in enumerate(text) if char in "\"'")
    marks = text[:quote].lower()
    width = 3 if text[quote : quote + 3] in ('"""', "'''") else 1
    inner = text[quote + width : -width].replace("\r\n", "\n").replace("\r", "\n")
    if "b" in marks:
        if "r" in marks:
            return inner.encode()
        return _unescape_bytes(inner, token.offset)
    return inner if "r" in marks else _unescape(inner, token.offset)


def _unescape(text: str, offset: int) -> str:
    if "\\" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        code = _code(match, offset)
        if isinstance(code, str):
            return code
        if code > _LAST_CODE_POINT or 0xD800 <= code <= 0xDFFF:
            raise Issue(offset, "invalid unicode code point")
        return chr(code)

    return _ESCAPE.sub(replace, text)


def _unescape_bytes(text: str, offset: int) -> bytes:
    found, at = bytearray(), 0
    for match in _ESCAPE.finditer(text):
        found += text[at : match.start()].encode()
        code = _code(match, offset)
        if isinstance(code, str):
            found += code.encode()
        elif match["u"] or match["U"]:
            raise Issue(offset, "unable to unescape string")
        else:
            found.append(code)
        at = match.end()
    return bytes(found + text[at:].encode())


def _code(match: re.Match[str], offset: int) -> str | int:
    if match["plain"]:
        return _PLAIN.get(match["plain"], match["plain"])
    if match["octal"]:
        return int(match["octal"], 8)
    if match["wrong"] is not None:
        raise Issue(offset, f"Syntax error: token recognition error at: '{match[0]}'")
    return int(match["x"] or match["u"] or match["U"], 16)
