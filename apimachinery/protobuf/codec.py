"""Whole bodies: the four bytes of magic, the envelope `runtime.Unknown`, and the object inside.

Errors are those of the real server: a body that does not tell its kind is "unrecognized", one
that does is "cannot be handled".
"""

from __future__ import annotations

from apimachinery import wire
from apimachinery.errors import ApiError
from apimachinery.gvk import GroupVersion, GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.protobuf import reading, writing
from apimachinery.schema.decode import cannot_be_handled, no_kind_registered, unrecognized
from apimachinery.schema.table import types

MAGIC = b"k8s\x00"
_NO_MAGIC = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
_TYPE_META, _RAW = 1, 2
# What the bytes of an envelope can be, that is no message: all of them mean a bad request.
_BROKEN = (wire.WireError, IndexError, RecursionError, ValueError, OverflowError)


def decode_request(body: bytes, expected: GroupVersionKind | None = None) -> Obj:
    """Return the object in a request body, as the same object in JSON would have been parsed.

    `expected` fills in for a body without a kind, and names the kind in messages. Raises
    BadRequest on anything else than a good message of a built-in kind.
    """
    into = expected.kind if expected is not None else "Object"
    if not body:
        raise unrecognized(into, "empty data", body)
    if not body.startswith(MAGIC):
        raise unrecognized(into, _NO_MAGIC, body)
    if len(body) == len(MAGIC):
        raise unrecognized(into, "empty body", body)
    try:
        gvk, raw = _open(body)
    except _BROKEN as error:
        raise unrecognized(into, _words(error), body) from None
    gvk = _with_defaults(gvk, expected)
    if not gvk.kind:
        raise unrecognized(into, "Object 'Kind' is missing in the envelope", body)
    return _read(gvk, raw, into if expected is not None else gvk.kind)


def _read(gvk: GroupVersionKind, raw: bytes, into: str) -> Obj:
    schema = types().type_of(gvk)
    if schema is None:
        raise no_kind_registered(gvk, into)
    try:
        fields = reading.read_message(schema.name, raw)
    except ApiError:
        raise
    except _BROKEN as error:
        raise cannot_be_handled(gvk, into, _words(error)) from None
    return {"kind": gvk.kind, "apiVersion": gvk.api_version, **fields}


def _open(body: bytes) -> tuple[GroupVersionKind, bytes]:
    envelope = dict(wire.fields(body, len(MAGIC), len(body)))
    meta, raw = envelope.get(_TYPE_META, b""), envelope.get(_RAW, b"")
    if isinstance(meta, int) or isinstance(raw, int):
        raise wire.WireError("proto: wrong wireType = 0 for field Raw")
    names = dict(wire.fields(meta, 0, len(meta)))
    gv = GroupVersion.parse(_text(names.get(1)))
    return gv.kind(_text(names.get(2))), raw


def _text(value: int | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


def _with_defaults(gvk: GroupVersionKind, expected: GroupVersionKind | None) -> GroupVersionKind:
    if expected is None or (gvk.kind and gvk.version):
        return gvk
    if not gvk.version:
        return GroupVersionKind(expected.group, expected.version, gvk.kind or expected.kind)
    return GroupVersionKind(gvk.group, gvk.version, expected.kind)


def _words(error: Exception) -> str:
    """Return Go's words: running out of bytes is EOF, whatever Python calls it."""
    return str(error) if isinstance(error, wire.WireError) else wire.EOF


def encode(obj: Obj, gvk: GroupVersionKind) -> bytes:
    """Return the object as a body of this media type. KeyError where the kind is not built in."""
    schema = types().type_of(gvk)
    if schema is None:
        raise KeyError(str(gvk))
    return envelope(gvk, writing.write_message(schema.name, obj))


def envelope(gvk: GroupVersionKind, raw: bytes) -> bytes:
    """Return a message as a body that says which kind it is."""
    meta = wire.length_delimited(0x0A, gvk.api_version.encode())
    meta += wire.length_delimited(0x12, gvk.kind.encode())
    body = wire.length_delimited(_TYPE_META << 3 | 2, meta)
    body += wire.length_delimited(_RAW << 3 | 2, raw)
    # contentEncoding and contentType are always written, and are empty.
    return MAGIC + body + b"\x1a\x00\x22\x00"
