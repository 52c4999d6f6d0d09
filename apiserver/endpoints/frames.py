"""The form of a watch's events: objects, Tables of one row, metadata alone; JSON or messages.

What is the same for all watchers of a form is encoded once. A Table stream names its columns in
its first event only, so that one frame is the stream's own.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from apimachinery.meta import Obj
from apimachinery.table import check_include, partial_metadata
from apiserver.endpoints import tables
from apiserver.endpoints.negotiation import PROTOBUF
from apiserver.endpoints.request import ApiRequest
from apiserver.registry.catalog import Served
from apiserver.storage import Event
from apiserver.watch import formats
from apiserver.watch.formats import Format, bookmark_metadata


def watch_format(request: ApiRequest) -> Format:
    """Return how a watch's frames are written."""
    served, output = request.target, request.output
    transform = output.transform
    if transform == "Table":
        return _tables(request)
    binary = output.media_type == PROTOBUF
    make = formats.messages if binary else formats.converted
    if transform.startswith("PartialObjectMetadata"):
        key: Hashable = ("metadata", binary)
        return make(key, lambda event: partial_metadata(event.obj), _partial)
    kind = served.kind
    version = served.version
    if version is None and not binary:
        return formats.whole_objects(kind.api_version, kind.kind)

    def bookmark(revision: int, end: bool) -> Obj:  # noqa: FBT001 - the format's own shape
        metadata = bookmark_metadata(revision, initial_events_end=end)
        return {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}

    def convert(event: Event) -> Obj:
        return _shown(served, event)

    return make(("version", kind, binary), convert, bookmark)


def _shown(served: Served, event: Event) -> Obj:
    """Return an event's object in the version that is served."""
    return event.obj if served.version is None else served.version.from_storage(event.obj)


def _partial(revision: int, end: bool) -> Obj:  # noqa: FBT001 - the format's own shape
    metadata = bookmark_metadata(revision, initial_events_end=end)
    return partial_metadata({"metadata": metadata})


def _tables(request: ApiRequest) -> Format:
    api, served, resource = request.api, request.target, request.resource
    include = check_include(request.params.get("includeObject", ""))
    version = request.output.version

    def convert(event: Event, *, headers: bool) -> Obj:
        now = api.clock.seconds()
        return tables.of_rows(
            resource,
            tables.rows(served, [event.obj], now),
            include=include,
            version=version,
            metadata={"resourceVersion": str(event.revision)},
            headers=headers,
        )

    def bookmark(revision: int, end: bool) -> Obj:  # noqa: FBT001 - the format's own shape
        metadata = bookmark_metadata(revision, initial_events_end=end)
        kind = served.kind
        obj = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
        return tables.of_rows(
            resource,
            tables.rows(served, [obj], 0.0),
            include=include,
            version=version,
            metadata=metadata,
            headers=False,
        )

    key = ("table", resource.key, served.kind, include, version)
    shared = formats.converted(key, lambda event: convert(event, headers=False), bookmark)
    named = False

    def event(one: Event) -> bytes:
        nonlocal named
        if named:
            return shared.event(one)
        named = True
        first = formats.converted(object(), lambda e: convert(e, headers=True), bookmark)
        return first.event(one)

    return replace(shared, event=event)
