"""The protobuf wire format: varints, lengths, fields, and fields to step over.

It knows no message: what the numbers mean stands in `apimachinery.protobuf` for objects, and in
`apimachinery.schema.openapi_v2` for documents.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, START_GROUP, END_GROUP, FIXED32 = range(6)
_MASK = (1 << 64) - 1


class WireError(ValueError):
    """The bytes are no protobuf message; the message is the one that Go's decoder gives."""


EOF = "unexpected EOF"
OVERFLOW = "proto: integer overflow"


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at`, and where it ends. IndexError where the bytes run out."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & _MASK, at
        shift += 7
        if shift >= 64:
            raise WireError(OVERFLOW)


def varint(value: int) -> bytes:
    """Return a number as a varint; a negative one takes ten bytes, as in Go."""
    value &= _MASK
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int, bits: int = 64) -> int:
    """Return an unsigned number as the signed one of the same bits."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def skip(data: bytes, at: int, end: int, wire_type: int) -> int:
    """Return where a field of an unknown number ends."""
    if wire_type == VARINT:
        at = read_varint(data, at)[1]
    elif wire_type == FIXED64:
        at += 8
    elif wire_type == FIXED32:
        at += 4
    elif wire_type == BYTES:
        length, at = read_varint(data, at)
        at += length
    elif wire_type == START_GROUP:
        return _skip_group(data, at, end)
    else:
        raise WireError(f"proto: illegal wireType {wire_type}")
    if at > end:
        raise WireError(EOF)
    return at


def _skip_group(data: bytes, at: int, end: int) -> int:
    depth = 1
    while depth:
        if at >= end:
            raise WireError(EOF)
        key, at = read_varint(data, at)
        if key & 7 == START_GROUP:
            depth += 1
        elif key & 7 == END_GROUP:
            depth -= 1
        else:
            at = skip(data, at, end, key & 7)
    return at


def fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and value of each varint and each length-delimited field."""
    while at < end:
        key, at = read_varint(data, at)
        wire_type = key & 7
        if wire_type == VARINT:
            value, at = read_varint(data, at)
            if at > end:
                raise WireError(EOF)
            yield key >> 3, value
        elif wire_type == BYTES:
            length, at = read_varint(data, at)
            if at + length > end:
                raise WireError(EOF)
            yield key >> 3, data[at : at + length]
            at += length
        else:
            at = skip(data, at, end, wire_type)


def length_delimited(key: int, payload: bytes) -> bytes:
    """Return a field of bytes: key, length, payload."""
    return varint(key) + varint(len(payload)) + payload
