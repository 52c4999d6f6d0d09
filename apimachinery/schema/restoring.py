"""Reads objects as Go's converter from maps does: the way of strategic merge patches.

It goes through a struct in the order of its fields, has words of its own for what does not fit,
and is less strict about numbers than the JSON decoder: 3.0 is a whole number, and one that is too
large for its type loses its upper bits.
"""

from __future__ import annotations

from typing import Any

from apimachinery import gotext
from apimachinery.schema import scalars
from apimachinery.schema.problems import mismatch_text
from apimachinery.schema.table import Schema


class RestoreError(ValueError):
    """A value does not fit its field; the message is the converter's."""


_FITTING = {"string": str, "boolean": bool}
_GO_KINDS = {"string": "string", "boolean": "bool", "number": "float64"}
# Types that decode themselves.
_OWN = frozenset({"quantity", "time", "micro-time", "int-or-string"})


def restore(schema: Schema, value: Any) -> Any:
    """Return a value with its numbers as the type has them. Raises RestoreError."""
    if value is None or schema.kind == "any":
        return value
    if schema.kind in _OWN:
        why = mismatch_text(schema, value)
        if why:
            raise RestoreError(why)
        return value
    if schema.kind == "bytes":
        return _bytes(value)
    if schema.kind == "object":
        return _struct(schema, value)
    if schema.kind == "map":
        if not isinstance(value, dict):
            raise RestoreError(f"cannot restore map from {gotext.kind(value)}")
        return {key: _item(schema, item) for key, item in value.items()}
    if schema.kind == "array":
        if not isinstance(value, list):
            raise RestoreError(f"cannot restore slice from {gotext.kind(value)}")
        return [_item(schema, item) for item in value]
    return _scalar(schema, value)


def _item(schema: Schema, value: Any) -> Any:
    return value if schema.item is None else restore(schema.item, value)


def _struct(schema: Schema, value: Any) -> Any:
    if not isinstance(value, dict):
        raise RestoreError(f"cannot restore struct from: {gotext.kind(value)}")
    read = dict(value)
    for name, field in schema.fields.items():
        if name in value:
            read[name] = restore(field.schema, value[name])
    return read


def _bytes(value: Any) -> Any:
    if not isinstance(value, str):
        raise RestoreError(f"cannot restore slice from {gotext.kind(value)}")
    try:
        scalars.base64_bytes(value)
    except scalars.ScalarError as error:
        raise RestoreError(f"error decoding from json: {error}") from None
    return value


def _scalar(schema: Schema, value: Any) -> Any:
    go_kind = _GO_KINDS.get(schema.kind) or schema.int_format or schema.go_type
    given = gotext.kind(value)
    if schema.kind == "integer" and given in ("int64", "float64"):
        if value != int(value):
            raise RestoreError(f"cannot convert float64 to {schema.go_type}")
        return _cut(int(value), go_kind)
    if schema.kind == "number" and given in ("int64", "float64"):
        return value
    if isinstance(value, _FITTING.get(schema.kind, ())):
        return value
    if schema.kind == "string" and given == "int64":
        raise RestoreError(f"cannot convert int64 to {schema.go_type}")
    raise RestoreError(f"unrecognized type: {go_kind}")


def _cut(value: int, go_kind: str) -> int:
    """Return what is left of a number in a type of fewer bits."""
    low, high = scalars.INT_RANGES.get(go_kind, scalars.INT_RANGES["int64"])
    return (value - low) % (high - low + 1) + low
