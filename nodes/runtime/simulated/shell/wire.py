"""Messages between the worker and an interpreter's process: a head of JSON, and bytes.

A frame is the lengths of both (4 bytes each, big endian), the head, the bytes. Nothing in a frame
is ever executed or unpickled: an interpreter is not trusted.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

import orjson

Head = dict[str, Any]
Send = Callable[[Head, bytes], None]

_LENGTHS = struct.Struct(">II")
# A full tree (volume.MAX_BYTES) has to fit.
MAX_BODY = 48 * 1024 * 1024
MAX_HEAD = 4 * 1024 * 1024


class BadFrame(ValueError):
    """The other side does not keep to the protocol."""


def encode(head: Head, body: bytes = b"") -> bytes:
    """Return one frame."""
    text = orjson.dumps(head)
    return b"".join((_LENGTHS.pack(len(text), len(body)), text, body))


class Decoder:
    """Takes bytes as they come, gives messages."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Head, bytes]]:
        """Yield what is complete. BadFrame."""
        self._data += data
        while len(self._data) >= _LENGTHS.size:
            head_size, body_size = _LENGTHS.unpack_from(self._data)
            if head_size > MAX_HEAD or body_size > MAX_BODY:
                raise BadFrame(f"a frame of {head_size} and {body_size} bytes")
            start = _LENGTHS.size + head_size
            end = start + body_size
            if len(self._data) < end:
                return
            head = orjson.loads(self._data[_LENGTHS.size : start])
            body = bytes(self._data[start:end])
            del self._data[:end]
            if not isinstance(head, dict):
                raise BadFrame("a head has to be an object")
            yield head, body
