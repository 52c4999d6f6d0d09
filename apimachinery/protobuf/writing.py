"""Writes JSON-shaped objects as messages; the counterpart of `reading`, field by field.

Objects are expected as the server stores them. A value that is absent or null is not written;
zero values are, as they are in Go where the field is no pointer and JSON shows it.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson

from apimachinery.clock import parse_time
from apimachinery.protobuf.reading import is_wrapped, underlying
from apimachinery.schema import gotypes
from apimachinery.schema.table import types
from apimachinery.wire import length_delimited, varint

# Appends a field of the object to the message.
Writer: TypeAlias = Callable[[bytearray, Mapping[str, Any]], None]
# Makes the payload of one value.
ToBytes: TypeAlias = Callable[[Any], bytes]

_META = "k8s.io/apimachinery/pkg/apis/meta/v1."
_EXTENSIONS = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1."
_PROPS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_writers: dict[str, list[Writer]] = {}


def write_message(name: str, obj: Mapping[str, Any]) -> bytes:
    """Return the object as a message of the definition `name`."""
    out = bytearray()
    for write in _writers_of(name):
        write(out, obj)
    return bytes(out)


def _writers_of(name: str) -> list[Writer]:
    writers = _writers.get(name)
    if writers is None:
        rows = sorted((row for row in types().record(name)["f"] if row[1]), key=lambda r: r[1])
        writers = _writers[name] = [_writer(*row[:4]) for row in rows]
    return writers


def _writer(name: str, key: int, expression: str, flags: str) -> Writer:
    bare = underlying(expression)
    if "i" in flags:
        return _inline(key, gotypes.definition_name(bare))
    if bare.startswith("map["):
        return _map(name, key, gotypes.split_map(bare)[1])
    if bare.startswith("[]") and bare != "[]uint8" and not is_wrapped(expression):
        return _list(name, key, bare[2:])
    if (number := _number(bare)) is not None:
        return _scalar(name, varint(key), number)
    payload = _to_bytes(expression)

    def write(out: bytearray, obj: Mapping[str, Any]) -> None:
        value = obj.get(name)
        if value is not None:
            out += length_delimited(key, payload(value))

    return write


def _number(bare: str) -> ToBytes | None:
    if bare == "float64":
        return lambda value: struct.pack("<d", value)
    if bare == "bool" or (bare.startswith(("int", "uint")) and bare != "interface"):
        return varint
    return None


def _scalar(name: str, head: bytes, payload: ToBytes) -> Writer:
    def write(out: bytearray, obj: Mapping[str, Any]) -> None:
        value = obj.get(name)
        if value is not None:
            out += head + payload(value)

    return write


def _list(name: str, key: int, item: str) -> Writer:
    number = _number(underlying(item))
    payload = _to_bytes(item) if number is None else number
    head = varint(key)

    def write(out: bytearray, obj: Mapping[str, Any]) -> None:
        for value in obj.get(name) or ():
            out.extend(
                length_delimited(key, payload(value)) if number is None else head + payload(value)
            )

    return write


def _map(name: str, key: int, item: str) -> Writer:
    number = _number(underlying(item))
    payload = _to_bytes(item) if number is None else number

    def write(out: bytearray, obj: Mapping[str, Any]) -> None:
        for entry, value in sorted((obj.get(name) or {}).items()):
            pair = length_delimited(0x0A, entry.encode())
            content = payload(value)
            pair += length_delimited(0x12, content) if number is None else b"\x10" + content
            out.extend(length_delimited(key, pair))

    return write


def _inline(key: int, name: str) -> Writer:
    def write(out: bytearray, obj: Mapping[str, Any]) -> None:
        out.extend(length_delimited(key, write_message(name, obj)))

    return write


def _to_bytes(expression: str) -> ToBytes:
    bare = underlying(expression)
    if bare == "string":
        return lambda value: str(value).encode("utf-8", "replace")
    if bare == "[]uint8":
        return base64.b64decode
    if is_wrapped(expression):
        return lambda value: b"".join(length_delimited(0x0A, v.encode()) for v in value)
    special = _SPECIAL.get(bare)
    if special is not None:
        return special
    if "/" not in bare:
        return lambda value: b""
    name = gotypes.definition_name(bare)
    return lambda value: write_message(name, value)


def _int_or_string(value: Any) -> bytes:
    if isinstance(value, str):
        return b"\x08\x01\x10\x00" + length_delimited(0x1A, value.encode())
    return b"\x08\x00\x10" + varint(value) + b"\x1a\x00"


def _time(value: str) -> bytes:
    since = parse_time(value).astimezone(UTC) - _EPOCH
    seconds = since.days * 86_400 + since.seconds
    return b"\x08" + varint(seconds) + b"\x10" + varint(since.microseconds * 1000)


def _raw_json(value: Any) -> bytes:
    return length_delimited(0x0A, orjson.dumps(value))


def _props_or_array(value: Any) -> bytes:
    if isinstance(value, list):
        return b"".join(length_delimited(0x12, write_message(_PROPS, v)) for v in value)
    return length_delimited(0x0A, write_message(_PROPS, value))


def _props_or_bool(value: Any) -> bytes:
    if isinstance(value, dict):
        return b"\x08\x01" + length_delimited(0x12, write_message(_PROPS, value))
    return b"\x08\x01" if value else b"\x08\x00"


def _props_or_strings(value: Any) -> bytes:
    if isinstance(value, list):
        return b"".join(length_delimited(0x12, text.encode()) for text in value)
    return length_delimited(0x0A, write_message(_PROPS, value))


_SPECIAL: dict[str, ToBytes] = {
    "k8s.io/apimachinery/pkg/api/resource.Quantity": lambda v: length_delimited(
        0x0A, str(v).encode()
    ),
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": _int_or_string,
    _META + "Time": _time,
    _META + "MicroTime": _time,
    _META + "FieldsV1": _raw_json,
    "k8s.io/apimachinery/pkg/runtime.RawExtension": _raw_json,
    _EXTENSIONS + "JSON": _raw_json,
    _EXTENSIONS + "JSONSchemaPropsOrArray": _props_or_array,
    _EXTENSIONS + "JSONSchemaPropsOrBool": _props_or_bool,
    _EXTENSIONS + "JSONSchemaPropsOrStringArray": _props_or_strings,
}
