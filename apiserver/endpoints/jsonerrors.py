"""What Go's JSON scanner says about a text that is no JSON.

Clients compare these words, and people search for them. The scanner here runs only after the
real parser has refused a text; it follows the states of encoding/json.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_SPACE = " \t\r\n"
END = "unexpected end of JSON input"
_ESCAPES = '"\\/bfnrt'


class _Invalid(Exception):
    """Carries the message out of the scanner."""


def syntax_error(text: str) -> str:
    """Return the first error of a text, "" where it is well-formed."""
    try:
        at = _value(text, _skip(text, 0))
        at = _skip(text, at)
        if at < len(text):
            raise _wrong(text, at, "after top-level value")
    except _Invalid as error:
        return str(error)
    except RecursionError:
        return "exceeded max depth"
    return ""


def _wrong(text: str, at: int, context: str) -> _Invalid:
    if at >= len(text):
        return _Invalid(END)
    return _Invalid(f"invalid character {_quoted(text[at])} {context}")


def _quoted(character: str) -> str:
    special = {"'": "'\\''", '"': "'\"'", "\n": "'\\n'", "\t": "'\\t'", "\r": "'\\r'"}
    if character in special:
        return special[character]
    if character.isprintable():
        return f"'{character}'"
    return f"'\\x{ord(character):02x}'"


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _value(text: str, at: int) -> int:
    begin = text[at : at + 1]
    if begin == "{":
        return _object(text, at + 1)
    if begin == "[":
        return _array(text, at + 1)
    if begin == '"':
        return _string(text, at + 1)
    for word in ("true", "false", "null"):
        if begin and begin == word[0]:
            return _word(text, at, word)
    if begin == "-" or begin.isdigit():
        return _number(text, at)
    raise _wrong(text, at, "looking for beginning of value")


def _word(text: str, at: int, word: str) -> int:
    for offset in range(1, len(word)):
        if text[at + offset : at + offset + 1] != word[offset]:
            context = f"in literal {word} (expecting '{word[offset]}')"
            raise _wrong(text, at + offset, context)
    return at + len(word)


def _number(text: str, at: int) -> int:
    match = _NUMBER.match(text, at)
    if match is None:
        raise _wrong(text, at + 1, "in numeric literal")
    end = match.end()
    if text[end : end + 1] == ".":
        raise _wrong(text, end + 1, "after decimal point in numeric literal")
    if text[end : end + 1] in ("e", "E"):
        raise _wrong(text, end + 1, "in exponent of numeric literal")
    return end


def _string(text: str, at: int) -> int:
    while at < len(text):
        character = text[at]
        if character == '"':
            return at + 1
        if character < " ":
            raise _wrong(text, at, "in string literal")
        if character == "\\":
            at = _escape(text, at + 1)
        at += 1
    raise _Invalid(END)


def _escape(text: str, at: int) -> int:
    if text[at : at + 1] == "u":
        for offset in range(1, 5):
            digit = text[at + offset : at + offset + 1]
            if not digit or digit not in "0123456789abcdefABCDEF":
                raise _wrong(text, at + offset, "in \\u hexadecimal character escape")
        return at + 4
    if not text[at : at + 1] or text[at] not in _ESCAPES:
        raise _wrong(text, at, "in string escape code")
    return at


def _object(text: str, at: int) -> int:
    at = _skip(text, at)
    if text[at : at + 1] == "}":
        return at + 1
    while True:
        if text[at : at + 1] != '"':
            raise _wrong(text, at, "looking for beginning of object key string")
        at = _skip(text, _string(text, at + 1))
        if text[at : at + 1] != ":":
            raise _wrong(text, at, "after object key")
        at = _skip(text, _value(text, _skip(text, at + 1)))
        if text[at : at + 1] == "}":
            return at + 1
        if text[at : at + 1] != ",":
            raise _wrong(text, at, "after object key:value pair")
        at = _skip(text, at + 1)


def _array(text: str, at: int) -> int:
    at = _skip(text, at)
    if text[at : at + 1] == "]":
        return at + 1
    while True:
        at = _skip(text, _value(text, at))
        if text[at : at + 1] == "]":
            return at + 1
        if text[at : at + 1] != ",":
            raise _wrong(text, at, "after array element")
        at = _skip(text, at + 1)
