"""Reads messages into JSON-shaped dicts: each type is compiled once into a table of fields.

A field's plan is a function that takes the bytes of one occurrence and puts the value where it
belongs. Go writes fields that are zero; they are dropped here where JSON would omit them.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from apimachinery import wire
from apimachinery.protobuf import specials
from apimachinery.protobuf.specials import FromBytes
from apimachinery.schema import gotypes
from apimachinery.schema.table import types
from apimachinery.wire import EOF, WireError, read_varint, signed

# (into, data, start, end): read one occurrence of a length-delimited field.
Store: TypeAlias = Callable[[dict[str, Any], bytes, int, int], None]
# A value out of the number of a field.
FromNumber: TypeAlias = Callable[[int], Any]

_EXTENSIONS = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1."
_PROPS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
_KEY, _VALUE = 1, 2
# Named lists that are messages of their own, with the items as field 1.
WRAPPED = frozenset({"ExtraValue", "Verbs"})


class Message:
    """The fields of one type by key (number and wire type)."""

    __slots__ = ("bytes_fields", "name", "number_fields", "numbers")

    def __init__(self, name: str) -> None:
        self.name = name
        self.bytes_fields: dict[int, Store] = {}
        self.number_fields: dict[int, tuple[str, FromNumber, bool, bool]] = {}
        self.numbers: dict[int, str] = {}


_messages: dict[str, Message] = {}


def read_message(name: str, data: bytes) -> dict[str, Any]:
    """Read all of `data` as a message of the definition `name`."""
    out: dict[str, Any] = {}
    _read(message_of(name), out, data, 0, len(data))
    return out


def message_of(name: str) -> Message:
    """Return the compiled message of a definition."""
    message = _messages.get(name)
    if message is None:
        # Known before it is complete, since types may contain themselves.
        message = _messages[name] = Message(name)
        for json_name, key, expression, flags, *_ in types().record(name)["f"]:
            if key:
                _compile(message, json_name, key, expression, flags)
    return message


def _read(message: Message, out: dict[str, Any], data: bytes, at: int, end: int) -> None:
    by_bytes, by_number = message.bytes_fields, message.number_fields
    while at < end:
        key = data[at]
        at += 1
        if key > 127:
            key, at = read_varint(data, at - 1)
        store = by_bytes.get(key)
        if store is not None:
            length = data[at]
            at += 1
            if length > 127:
                length, at = read_varint(data, at - 1)
            stop = at + length
            if stop > end:
                raise WireError(EOF)
            store(out, data, at, stop)
            at = stop
            continue
        number_field = by_number.get(key)
        if number_field is None:
            at = _skip_unknown(message, data, at, end, key)
            continue
        at = _store_number(number_field, out, data, at, key)
    if at > end:
        raise WireError(EOF)


def _store_number(
    field: tuple[str, FromNumber, bool, bool], out: dict[str, Any], data: bytes, at: int, key: int
) -> int:
    name, convert, keep, repeated = field
    if key & 7 == wire.VARINT:
        number, at = read_varint(data, at)
    else:
        (number,) = struct.unpack_from("<Q", data, at) if at + 8 <= len(data) else (None,)
        if number is None:
            raise WireError(EOF)
        at += 8
    value = convert(number)
    if repeated:
        out.setdefault(name, []).append(value)
    elif value or keep:
        out[name] = value
    return at


def _skip_unknown(message: Message, data: bytes, at: int, end: int, key: int) -> int:
    number, wire_type = key >> 3, key & 7
    short = message.name.rpartition(".")[2]
    if wire_type == wire.END_GROUP:
        raise WireError(f"proto: {short}: wiretype end group for non-group")
    if number == 0 or number >= 1 << 29:
        raise WireError(f"proto: {short}: illegal tag {number} (wire type {key})")
    if number in message.numbers:
        name = message.numbers[number]
        raise WireError(f"proto: wrong wireType = {wire_type} for field {name}")
    return wire.skip(data, at, end, wire_type)


def _compile(message: Message, name: str, key: int, expression: str, flags: str) -> None:
    message.numbers[key >> 3] = name[:1].upper() + name[1:] or short_of(expression)
    pointer = expression.startswith("*")
    keep = pointer or ("e" not in flags and "z" not in flags)
    bare = underlying(expression)
    if "i" in flags:
        message.bytes_fields[key] = _inline(gotypes.definition_name(bare))
    elif bare.startswith("map["):
        message.bytes_fields[key] = _map(name, gotypes.split_map(bare)[1])
    elif bare.startswith("[]") and bare != "[]uint8" and not is_wrapped(expression):
        _compile_list(message, name, key, bare[2:])
    elif number := from_number(bare):
        message.number_fields[key] = (name, number, keep, False)
    else:
        message.bytes_fields[key] = _single(name, from_bytes(expression), keep=keep)


def _compile_list(message: Message, name: str, key: int, item: str) -> None:
    number = from_number(underlying(item))
    if number is None:
        message.bytes_fields[key] = _append(name, from_bytes(item))
        return
    message.number_fields[key] = (name, number, True, True)
    packed = key & ~7 | wire.BYTES

    def store(out: dict[str, Any], data: bytes, at: int, end: int) -> None:
        values = out.setdefault(name, [])
        while at < end:
            value, at = read_varint(data, at)
            values.append(number(value))

    message.bytes_fields[packed] = store


def underlying(expression: str) -> str:
    """Return the type without pointer and name: "*v1.Protocol=string" is "string"."""
    expression = expression.lstrip("*")
    if "=" in expression and not expression.startswith(("[]", "map[")):
        expression = expression.partition("=")[2]
    return expression


def short_of(expression: str) -> str:
    """Return the bare name of a type: "v1.ExtraValue=[]string" is "ExtraValue"."""
    return gotypes.short_name(expression).rpartition(".")[2]


def is_wrapped(expression: str) -> bool:
    return "=" in expression and short_of(expression) in WRAPPED


def from_number(bare: str) -> FromNumber | None:
    """Return how to read a type that is a number on the wire; None for any other."""
    if bare == "bool":
        return bool
    if bare in ("int32", "int16", "int8"):
        return lambda value: signed(value, 32)
    if bare in ("int64", "int"):
        return signed
    if bare in ("uint8", "uint32", "uint64", "uint"):
        return lambda value: value
    if bare == "float64":
        return _float64
    return None


def _float64(bits: int) -> float:
    """Return a double as JSON prints it; what JSON cannot print is refused."""
    value: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    if not math.isfinite(value):
        raise WireError("json: unsupported value")
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


def from_bytes(expression: str) -> FromBytes:
    """Return how to read a value of a type that is length-delimited on the wire."""
    bare = underlying(expression)
    if bare == "string":
        return lambda data, at, end: data[at:end].decode("utf-8", "replace")
    if bare == "[]uint8":
        return lambda data, at, end: base64.b64encode(data[at:end]).decode()
    if is_wrapped(expression):
        return specials.texts
    special = specials.READERS.get(bare) or _SCHEMAS.get(bare)
    if special is not None:
        return special
    if "/" not in bare:
        # A Go interface or a bare slice: nothing that a request carries.
        return lambda data, at, end: None
    message = message_of(gotypes.definition_name(bare))

    def read(data: bytes, at: int, end: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        _read(message, out, data, at, end)
        return out

    return read


def _single(name: str, read: FromBytes, *, keep: bool) -> Store:
    def store(out: dict[str, Any], data: bytes, at: int, end: int) -> None:
        value = read(data, at, end)
        if value or keep or value.__class__ is dict:
            if value.__class__ is dict and name in out:
                # A message given twice is merged, as every protobuf decoder does.
                value = {**out[name], **value}
            out[name] = value

    return store


def _append(name: str, read: FromBytes) -> Store:
    def store(out: dict[str, Any], data: bytes, at: int, end: int) -> None:
        value = read(data, at, end)
        if name in out:
            out[name].append(value)
        else:
            out[name] = [value]

    return store


def _inline(name: str) -> Store:
    message = message_of(name)

    def store(out: dict[str, Any], data: bytes, at: int, end: int) -> None:
        _read(message, out, data, at, end)

    return store


def _map(name: str, value_expression: str) -> Store:
    number = from_number(underlying(value_expression))
    read = None if number is not None else from_bytes(value_expression)

    def store(out: dict[str, Any], data: bytes, at: int, end: int) -> None:
        key = ""
        # An entry without a value has the zero value of its type.
        value = number(0) if number is not None else None
        given = b""
        for field, content in wire.fields(data, at, end):
            if isinstance(content, int):
                value = number(content) if field == _VALUE and number is not None else value
            elif field == _KEY:
                key = content.decode("utf-8", "replace")
            elif field == _VALUE:
                given = content
        if read is not None:
            value = read(given, 0, len(given))
        out.setdefault(name, {})[key] = value

    return store


def _props(data: bytes) -> dict[str, Any]:
    return read_message(_PROPS, data)


def _props_or_array(data: bytes, at: int, end: int) -> Any:
    schemas = specials.payloads(data, at, end, 2)
    if schemas:
        return [_props(schema) for schema in schemas]
    single = specials.payloads(data, at, end, 1)
    return _props(single[-1]) if single else None


def _props_or_bool(data: bytes, at: int, end: int) -> Any:
    single = specials.payloads(data, at, end, 2)
    return _props(single[-1]) if single else bool(specials.numbers(data, at, end).get(1))


def _props_or_strings(data: bytes, at: int, end: int) -> Any:
    texts = specials.texts(data, at, end, 2)
    if texts:
        return texts
    single = specials.payloads(data, at, end, 1)
    return _props(single[-1]) if single else None


_SCHEMAS: dict[str, FromBytes] = {
    _EXTENSIONS + "JSONSchemaPropsOrArray": _props_or_array,
    _EXTENSIONS + "JSONSchemaPropsOrBool": _props_or_bool,
    _EXTENSIONS + "JSONSchemaPropsOrStringArray": _props_or_strings,
}
