"""How the frames of a watch are written: an event, a bookmark, an error, each one line.

A format's encoder runs once for each event, however many watchers use the format: its bytes stay
with the event, under the format's key, while the event is being delivered.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import orjson

from apimachinery.errors import ApiError
from apimachinery.meta import Obj
from apimachinery.protobuf.answers import watch_frame
from apiserver.storage import Event

INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@dataclass(frozen=True, slots=True)
class Format:
    """What a stream needs of an encoding.

    `event` makes the frame of an event. `bookmark` makes the frame that says up to which revision
    everything was sent, and whether it ends the initial events. `error` makes the last frame of a
    watch that fails.
    """

    event: Callable[[Event], bytes]
    bookmark: Callable[[int, bool], bytes]
    error: Callable[[ApiError], bytes]
    content_type: str = "application/json"


def whole_objects(api_version: str, kind: str) -> Format:
    """Return the format that sends objects as they are stored."""

    def bookmark(revision: int, initial_events_end: bool) -> bytes:  # noqa: FBT001
        metadata = bookmark_metadata(revision, initial_events_end=initial_events_end)
        return _line("BOOKMARK", {"kind": kind, "apiVersion": api_version, "metadata": metadata})

    return Format(_json, bookmark, error_line)


def converted(
    key: Hashable,
    convert: Callable[[Event], Obj | bytes],
    bookmark: Callable[[int, bool], Obj],
) -> Format:
    """Return the format whose frames carry what `convert` makes of an event's object.

    Formats with the same key must convert alike: they share their bytes.
    """
    return Format(
        _once(key, lambda event: _line(event.type, convert(event))),
        lambda revision, end: _line("BOOKMARK", bookmark(revision, end)),
        error_line,
    )


def messages(
    key: Hashable, convert: Callable[[Event], Obj], bookmark: Callable[[int, bool], Obj]
) -> Format:
    """Return the format whose frames are protobuf messages; as for the keys, see `converted`."""
    return Format(
        _once(key, lambda event: watch_frame(event.type, convert(event))),
        lambda revision, end: watch_frame("BOOKMARK", bookmark(revision, end)),
        lambda error: watch_frame("ERROR", error.status()),
        "application/vnd.kubernetes.protobuf;stream=watch",
    )


def _once(key: Hashable, make: Callable[[Event], bytes]) -> Callable[[Event], bytes]:
    """Return what makes an event's frame for the first watcher, and keeps it for the others."""

    def encode(event: Event) -> bytes:
        frame = event.encodings.get(key)
        if frame is None:
            frame = event.encodings[key] = make(event)
        return frame

    return encode


def bookmark_metadata(revision: int, *, initial_events_end: bool) -> Obj:
    """Return the metadata of a bookmark's object, the same for every kind."""
    metadata: Obj = {"resourceVersion": str(revision)}
    if initial_events_end:
        metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
    return metadata


def error_line(error: ApiError) -> bytes:
    """Return the frame that ends a watch with a Status; it looks alike in every form of JSON."""
    return _line("ERROR", error.status())


def _json(event: Event) -> bytes:
    return event.json


def _line(type_: str, obj: Obj | bytes) -> bytes:
    raw = obj if isinstance(obj, bytes) else orjson.dumps(obj)
    return b'{"type":"%s","object":%s}\n' % (type_.encode(), raw)
