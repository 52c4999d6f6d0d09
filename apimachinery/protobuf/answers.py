"""Answers as messages: an object of any kind, a list in parts, the frames of a watch.

Follows k8s.io/apimachinery runtime/serializer/protobuf: bodies lie in an envelope, a frame is four
bytes of length and a bare WatchEvent, whose object has an envelope of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from apimachinery.gvk import GroupVersion, GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.protobuf import writing
from apimachinery.protobuf.codec import encode, envelope
from apimachinery.schema.table import types
from apimachinery.wire import length_delimited

_LIST_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"
# Fields 1 and 2, both of bytes: metadata and items of every list, type and object of an event.
_FIRST, _SECOND = 0x0A, 0x12


def kind_of(obj: Obj) -> GroupVersionKind:
    """Return the kind that an object says it is."""
    return GroupVersion.parse(obj["apiVersion"]).kind(obj["kind"])


def encode_object(obj: Obj) -> bytes:
    """Return an object as a body. KeyError where its kind is not built in."""
    return encode(obj, kind_of(obj))


class ListMessage:
    """A list that is written some items at a time."""

    def __init__(self, kind: GroupVersionKind, metadata: Mapping[str, Any]) -> None:
        self._kind = GroupVersionKind(kind.group, kind.version, f"{kind.kind}List")
        schema = types().type_of(kind)
        if schema is None:
            raise KeyError(str(kind))
        self._item = schema.name
        self._raw = bytearray(length_delimited(_FIRST, writing.write_message(_LIST_META, metadata)))

    def add(self, objects: Iterable[Obj]) -> None:
        """Append items."""
        for obj in objects:
            self._raw += length_delimited(_SECOND, writing.write_message(self._item, obj))

    def body(self) -> bytes:
        """Return the whole list as a body."""
        return envelope(self._kind, bytes(self._raw))


def watch_frame(type_: str, obj: Obj) -> bytes:
    """Return one event of a watch."""
    raw = length_delimited(_FIRST, encode_object(obj))  # RawExtension.raw
    event = length_delimited(_FIRST, type_.encode()) + length_delimited(_SECOND, raw)
    return len(event).to_bytes(4, "big") + event
