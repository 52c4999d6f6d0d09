"""From one type to another, and how large things are."""

from __future__ import annotations

import math
import re
from typing import Any

from apimachinery.booleans import parse_bool
from apimachinery.cel.errors import EvalError
from apimachinery.cel.functions import Overload, function
from apimachinery.cel.times import (
    duration,
    parse_duration,
    parse_timestamp,
    print_duration,
    print_timestamp,
    timestamp,
)
from apimachinery.cel.values import (
    INT_MAX,
    INT_MIN,
    SECOND,
    UINT_MAX,
    Duration,
    Timestamp,
    UInt,
    double_text,
    type_of,
)

_INT = re.compile(r"[+-]?[0-9]+")
_UINT = re.compile(r"[0-9]+")
_DOUBLE = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?inf(?:inity)?|nan",
    re.IGNORECASE,
)


def _int_of_text(text: str) -> int:
    if not _INT.fullmatch(text) or len(text) > 20 or not INT_MIN <= int(text) <= INT_MAX:
        raise _no_conversion("int")
    return int(text)


def _no_conversion(to: str) -> EvalError:
    return EvalError(f"type conversion error from 'string' to '{to}'")


def _int_of_double(value: float) -> int:
    if math.isnan(value) or not -(2.0**63) < value < 2.0**63:
        raise EvalError("integer overflow")
    return int(value)


def _int_of_uint(value: int) -> int:
    if value > INT_MAX:
        raise EvalError("integer overflow")
    return int(value)


def _uint_of_text(text: str) -> UInt:
    if not _UINT.fullmatch(text) or len(text) > 20 or int(text) > UINT_MAX:
        raise _no_conversion("uint")
    return UInt(text)


def _uint_of_int(value: int) -> UInt:
    if value < 0:
        raise EvalError("unsigned integer overflow")
    return UInt(value)


def _uint_of_double(value: float) -> UInt:
    if math.isnan(value) or not 0 <= value < 2.0**64:
        raise EvalError("unsigned integer overflow")
    return UInt(int(value))


def _double_of_text(text: str) -> float:
    if not _DOUBLE.fullmatch(text):
        raise _no_conversion("double")
    value = float(text)
    if math.isinf(value) and text[-1].isdigit():
        raise _no_conversion("double")
    return value


def _bool_of_text(text: str) -> bool:
    try:
        return parse_bool(text)
    except ValueError:
        raise _no_conversion("bool") from None


def _text_of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise EvalError("invalid UTF-8 in bytes, cannot convert to string") from None


def _timestamp_of_text(text: str) -> Timestamp:
    try:
        return parse_timestamp(text)
    except EvalError as error:
        if str(error) == "timestamp overflow":
            raise
        raise _no_conversion("google.protobuf.Timestamp") from None


def _duration_of_text(text: str) -> Duration:
    try:
        return parse_duration(text)
    except EvalError:
        raise _no_conversion("google.protobuf.Duration") from None


def _same(value: Any) -> Any:
    return value


CONVERSIONS: list[Overload] = [
    function("int(int) -> int", _same),
    function("int(uint) -> int", _int_of_uint),
    function("int(double) -> int", _int_of_double),
    function("int(string) -> int", _int_of_text),
    function("int(timestamp) -> int", lambda value: value.ns // SECOND),
    function("int(duration) -> int", lambda value: value.ns),
    function("uint(uint) -> uint", _same),
    function("uint(int) -> uint", _uint_of_int),
    function("uint(double) -> uint", _uint_of_double),
    function("uint(string) -> uint", _uint_of_text),
    function("double(double) -> double", _same),
    function("double(int) -> double", float),
    function("double(uint) -> double", float),
    function("double(string) -> double", _double_of_text),
    function("bool(bool) -> bool", _same),
    function("bool(string) -> bool", _bool_of_text),
    function("string(string) -> string", _same),
    function("string(bool) -> string", lambda value: "true" if value else "false"),
    function("string(int) -> string", str),
    function("string(uint) -> string", lambda value: str(int(value))),
    function("string(double) -> string", double_text),
    function("string(bytes) -> string", _text_of_bytes),
    function("string(timestamp) -> string", print_timestamp),
    function("string(duration) -> string", print_duration),
    function("bytes(bytes) -> bytes", _same),
    function("bytes(string) -> bytes", lambda value: value.encode()),
    function("timestamp(timestamp) -> timestamp", _same),
    function("timestamp(string) -> timestamp", _timestamp_of_text),
    function("timestamp(int) -> timestamp", lambda value: timestamp(value * SECOND)),
    function("duration(duration) -> duration", _same),
    function("duration(string) -> duration", _duration_of_text),
    function("duration(int) -> duration", duration),
    function("dyn(A) -> dyn", _same),
    function("type(A) -> type(A)", type_of),
    *[
        function(form.format(kind), len)
        for kind in ("string", "bytes", "list(A)", "map(A, B)")
        for form in ("size({}) -> int", "{}.size() -> int")
    ],
]
