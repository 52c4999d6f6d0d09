"""Objects to bytes and back, with the resourceVersion put in where the writer knows it.

An object is encoded before its revision is known. A placeholder that no client can guess marks
the place; the bytes before and after it are joined by the revision when the write is staged.
"""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

import orjson

from apimachinery.meta import Obj, replace_in
from apimachinery.verbatim import as_sent

_RESOURCE_VERSION = ("metadata", "resourceVersion")
# 128 random bits a process: a client cannot write it into an object of its own.
_PLACEHOLDER = secrets.token_hex(16)
_MARK = _PLACEHOLDER.encode()


class Encoded(NamedTuple):
    """The JSON of an object before and after the digits of its resourceVersion.

    `plain`: a parser would make the very same object of it. Of one with a part that is written
    verbatim it would not.
    """

    head: bytes
    tail: bytes
    plain: bool


def encode(obj: Obj) -> Encoded:
    """Return an object as it is stored, with room for its resourceVersion."""
    marked, plain = replace_in(obj, _RESOURCE_VERSION, _PLACEHOLDER), True
    try:
        raw = orjson.dumps(marked, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    except TypeError:
        raw = orjson.dumps(marked, default=as_sent, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
        plain = False
    head, _, tail = raw.partition(_MARK)
    return Encoded(head, tail, plain)


def stamped(obj: Obj, revision: int) -> Obj:
    """Return an object with its resourceVersion; all but its metadata is shared."""
    return replace_in(obj, _RESOURCE_VERSION, str(revision))


def with_revision(raw: bytes, old: int, new: int) -> bytes:
    """Return stored JSON with its resourceVersion replaced."""
    found = b'"resourceVersion":"%d"' % old
    if raw.count(found) == 1:
        return raw.replace(found, b'"resourceVersion":"%d"' % new)
    # Another object's resourceVersion is quoted in this one: only a parser can tell them apart.
    return orjson.dumps(stamped(orjson.loads(raw), new))


def watch_line(type_: str, raw: bytes) -> bytes:
    """Return one frame of a watch: {"type":...,"object":...} and a newline."""
    return b'{"type":"%s","object":%s}\n' % (type_.encode(), raw)


def encode_attrs(labels: dict[str, str], fields: dict[str, str]) -> bytes:
    """Return labels and selectable fields as they are stored, nothing for neither."""
    return orjson.dumps([labels, fields]) if labels or fields else b""


def decode_attrs(stored: bytes, empty: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return labels and selectable fields; `empty` stands for each that has nothing."""
    if not stored:
        return empty, empty
    labels, fields = orjson.loads(stored)
    return labels or empty, fields or empty


def same_content(head: bytes, tail: bytes, raw: bytes, revision: int, obj: Any) -> bool:
    """Tell whether an encoded object equals stored JSON in all but its resourceVersion.

    The order of keys does not count. Equal objects have equally long JSON, so nothing is parsed
    for most changes.
    """
    digits = b"%d" % revision
    if len(head) + len(digits) + len(tail) != len(raw):
        return False
    if raw.startswith(head) and raw.endswith(tail):
        return True
    return bool(orjson.loads(raw) == stamped(obj, revision))
