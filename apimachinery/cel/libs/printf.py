"""`'%s of %d'.format([a, b])`: CEL's own directives."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from apimachinery.cel.errors import EvalError
from apimachinery.cel.times import print_duration, print_timestamp
from apimachinery.cel.types import Type
from apimachinery.cel.values import Duration, Timestamp, UInt, double_text, type_name

_DIRECTIVE = re.compile(r"%(?:(%)|(?:\.([0-9]+))?([a-zA-Z])?)")
_MOST_DIGITS = 100


def printf(form: str, args: list[Any]) -> str:
    """Print arguments into a form. Raises EvalError."""
    rest = iter(enumerate(args))

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return "%"
        if match[2] is not None and len(match[2].lstrip("0")) > len(str(_MOST_DIGITS)):
            raise EvalError(f"precision too large: {match[2]}")
        digits = None if match[2] is None else int(match[2].lstrip("0") or "0")
        if digits is not None and digits > _MOST_DIGITS:
            raise EvalError(f"precision too large: {digits}")
        if match[3] is None:
            raise EvalError("unexpected end of string")
        known = _DIRECTIVES.get(match[3])
        if known is None:
            raise EvalError(f'could not parse formatting clause: unrecognized "{match[3]}"')
        at, value = next(rest, (-1, None))
        if at < 0:
            raise EvalError(f"index {len(args)} out of range")
        return known(value, digits)

    return _DIRECTIVE.sub(replace, form)


def text_of(value: Any, digits: int | None = None) -> str:
    """Print any value, as %s does."""
    del digits
    printer = _PRINTERS.get(type(value))
    if printer is not None:
        return printer(value)
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, dict):
        pairs = sorted((text_of(key), text_of(each)) for key, each in value.items())
        return "{" + ", ".join(f"{key}: {each}" for key, each in pairs) + "}"
    raise EvalError(
        "error during formatting: string clause can only be used on strings, bools, bytes, ints, "
        "doubles, maps, lists, types, durations, and timestamps, was given "
        f"{type_name(value)}"
    )


_PRINTERS: Mapping[type, Callable[[Any], str]] = {
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    UInt: lambda value: str(int(value)),
    float: double_text,
    bytes: lambda value: value.decode(errors="replace"),
    type(None): lambda value: "null",
    Timestamp: print_timestamp,
    Duration: print_duration,
    Type: str,
}


def _need(value: Any, kinds: tuple[type, ...], clause: str, allowed: str) -> None:
    if type(value) not in kinds:
        raise EvalError(
            f"error during formatting: {clause} clause can only be used on {allowed}, "
            f"was given {type_name(value)}"
        )


def _decimal(value: Any, digits: int | None) -> str:
    del digits
    if isinstance(value, float) and not math.isfinite(value):
        return {"NaN": "NaN", "+Inf": "Infinity", "-Inf": "-Infinity"}[double_text(value)]
    _need(value, (int, UInt), "decimal", "integers")
    return str(int(value))


def _fixed(value: Any, digits: int | None) -> str:
    _need(value, (float, int, UInt), "fixed-point", "doubles")
    return f"{value:.{6 if digits is None else digits}f}"


def _exponent(value: Any, digits: int | None) -> str:
    _need(value, (float, int, UInt), "scientific", "doubles")
    return f"{value:.{6 if digits is None else digits}e}"


def _binary(value: Any, digits: int | None) -> str:
    del digits
    _need(value, (int, UInt, bool), "binary", "integers and bools")
    return f"{int(value):b}"


def _octal(value: Any, digits: int | None) -> str:
    del digits
    _need(value, (int, UInt), "octal", "integers")
    return f"{int(value):o}"


def _hex(value: Any, digits: int | None) -> str:
    del digits
    if isinstance(value, str):
        return value.encode().hex()
    if isinstance(value, bytes):
        return value.hex()
    _need(value, (int, UInt), "hex", "integers, byte buffers, and strings")
    return f"{int(value):x}"


_DIRECTIVES: Mapping[str, Callable[[Any, int | None], str]] = {
    "s": text_of,
    "d": _decimal,
    "f": _fixed,
    "e": _exponent,
    "b": _binary,
    "o": _octal,
    "x": _hex,
    "X": lambda value, digits: _hex(value, digits).upper(),
}
