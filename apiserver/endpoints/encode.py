"""Answers to bytes: stored JSON as it is where that is what was asked for, else made anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any

import orjson

from apimachinery.errors import ApiError, NotAcceptable
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.protobuf import answers as protobuf
from apimachinery.table import Row, check_include, partial_metadata, partial_metadata_list
from apiserver.endpoints import tables, yaml
from apiserver.endpoints.negotiation import JSON, PROTOBUF, YAML, Output
from apiserver.endpoints.request import Answer, ApiRequest, Listing
from apiserver.endpoints.write import to_storage
from apiserver.registry.catalog import Served
from apiserver.storage import Entry

# Parsing and cells cost 70 us for a pod: 5 ms is how long others wait for a list.
CHUNK = 64
# Groups whose package inside of Kubernetes is not called as the group is.
_PACKAGES = {"": "core", "events.k8s.io": "core"}


async def body_of(request: ApiRequest, answer: Answer) -> tuple[bytes, str]:
    """Return an answer's body and its media type."""
    if answer.text is not None:
        return answer.text, answer.content_type
    output = request.output
    if output.plain:
        return json_of(request, answer), JSON
    if output.transform and not answer.as_is:
        shown: Any = await _transformed(request, answer, output)
    elif output.media_type is PROTOBUF and answer.listing is not None:
        return await _protobuf_list(request, answer, answer.listing), PROTOBUF
    else:
        shown = orjson.loads(json_of(request, answer))
    return dump(shown, output)


def dump(value: Any, output: Output) -> tuple[bytes, str]:
    """Write an object in the media type that was asked for."""
    if output.media_type == YAML:
        return yaml.dump(value), YAML
    if output.media_type == PROTOBUF:
        return protobuf.encode_object(value), PROTOBUF
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 if output.pretty else 0), JSON


def status_body(error: ApiError, output: Output) -> tuple[bytes, str]:
    """Return a refusal's body."""
    return dump(error.status(), output)


def object_of(served: Served, entry: Entry) -> Obj:
    """Return a stored object in the version that was asked for; new and private."""
    obj = entry.obj()
    return obj if served.version is None else served.version.from_storage(obj)


def json_of(request: ApiRequest, answer: Answer) -> bytes:
    """Return an answer that is no text as JSON, whatever form was asked for."""
    if answer.entry is not None:
        if request.served is None or request.served.is_storage:
            return answer.entry.raw
        return orjson.dumps(object_of(request.served, answer.entry))
    if answer.listing is not None:
        return list_json(request.target, answer.listing)
    if answer.objs is not None:
        return orjson.dumps(list_object(request.target.kind, answer.objs, {}))
    return orjson.dumps(answer.obj)


def list_json(served: Served, listing: Listing) -> bytes:
    """Return a list as JSON; the items' bytes are joined, not parsed."""
    kind = served.kind
    head = b'{"kind":"%sList","apiVersion":"%s","metadata":%s,"items":[' % (
        kind.kind.encode(),
        kind.api_version.encode(),
        orjson.dumps(listing.metadata()),
    )
    items = _items(served, listing.entries)
    if not items:
        return head + b"]}"
    # The opening brackets of all items come with the joining, so that each is copied only once.
    items[0] = b"%s{%s" % (head, items[0])
    items[-1] = b"%s]}" % items[-1]
    return b",{".join(items)


def _items(served: Served, entries: Sequence[Entry]) -> list[bytes | memoryview]:
    """Return the items of a list from behind their opening bracket on.

    Those of typed lists go without kind and apiVersion.
    """
    if not served.is_storage:
        write = orjson.dumps if served.resource.custom else _bare
        return [write(object_of(served, entry))[1:] for entry in entries]
    if served.resource.custom:
        return [memoryview(entry.raw)[1:] for entry in entries]
    kind = served.kind
    prefix = b'{"kind":"%s","apiVersion":"%s",' % (kind.kind.encode(), kind.api_version.encode())
    cut = len(prefix)
    return [
        memoryview(entry.raw)[cut:] if entry.raw.startswith(prefix) else _bare(entry.obj())[1:]
        for entry in entries
    ]


def _bare(obj: Obj) -> bytes:
    return orjson.dumps({k: v for k, v in obj.items() if k not in ("kind", "apiVersion")})


def list_object(kind: GroupVersionKind, items: Sequence[Obj], metadata: Obj) -> Obj:
    """Return a list of objects."""
    bare = [{k: v for k, v in obj.items() if k not in ("kind", "apiVersion")} for obj in items]
    return {
        "kind": f"{kind.kind}List",
        "apiVersion": kind.api_version,
        "metadata": metadata,
        "items": bare,
    }


async def _transformed(request: ApiRequest, answer: Answer, output: Output) -> Obj:
    """Return the answer as a Table, or as metadata alone."""
    served = request.target
    listing = answer.listing
    if listing is None and answer.objs is None:
        if output.transform == "PartialObjectMetadataList":
            raise _wrong_transform(served, output, is_list=False)
        return _transformed_object(request, answer, output)
    if output.transform == "PartialObjectMetadata":
        raise _wrong_transform(served, output, is_list=True)
    metadata: Obj = {"resourceVersion": ""} if listing is None else listing.metadata()
    rows: list[Row] = []
    table = output.transform == "Table"
    now = request.api.clock.seconds()
    async for objects in _chunks(answer, Entry.obj if table else partial(object_of, served)):
        if table:
            rows += tables.rows(served, objects, now)
        else:
            rows += [Row((), partial_metadata(obj)) for obj in objects]
    if table:
        return _table(request, rows, metadata, output)
    return _versioned(partial_metadata_list((row.obj for row in rows), metadata), output)


async def _chunks(answer: Answer, read: Callable[[Entry], Obj]) -> AsyncIterator[list[Obj]]:
    """Yield the objects of a list; other requests get their turn in between."""
    if answer.listing is None:
        yield answer.objs or []
        return
    entries = answer.listing.entries
    for start in range(0, len(entries), CHUNK):
        if start:
            await asyncio.sleep(0)
        yield [read(entry) for entry in entries[start : start + CHUNK]]


async def _protobuf_list(request: ApiRequest, answer: Answer, listing: Listing) -> bytes:
    """Write a list as one message; other requests get their turn in between."""
    kind = request.target.kind
    message = protobuf.ListMessage(kind, listing.metadata())
    async for objects in _chunks(answer, partial(object_of, request.target)):
        message.add(objects)
    return message.body()


def _transformed_object(request: ApiRequest, answer: Answer, output: Output) -> Obj:
    served, entry = request.target, answer.entry
    if output.transform == "Table":
        obj = to_storage(served, answer.obj or {}) if entry is None else entry.obj()
        version = (obj.get("metadata") or {}).get("resourceVersion", "")
        rows = tables.rows(served, [obj], request.api.clock.seconds())
        return _table(request, rows, {"resourceVersion": version}, output)
    obj = answer.obj or {} if entry is None else object_of(served, entry)
    return _versioned(partial_metadata(obj), output)


def _table(request: ApiRequest, rows: Sequence[Row], metadata: Obj, output: Output) -> Obj:
    return tables.of_rows(
        request.resource,
        rows,
        include=check_include(request.params.get("includeObject", "")),
        version=output.version,
        metadata=metadata,
    )


def _versioned(made: Obj, output: Output) -> Obj:
    made["apiVersion"] = f"meta.k8s.io/{output.version}"
    return made


def _wrong_transform(served: Served, output: Output, *, is_list: bool) -> ApiError:
    group, kind = served.kind.group, served.kind.kind
    package = _PACKAGES.get(group, group.partition(".")[0])
    what = f"a list (*{package}.{kind}List)" if is_list else f"not a list (*{package}.{kind})"
    return NotAcceptable(f"you requested {output.transform}, but the requested object is {what}")
