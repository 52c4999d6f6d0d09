"""The forms in which the sample API server shows objects: whole, as Tables; and watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from apimachinery.errors import ApiError
from apimachinery.table import (
    CREATED_AT,
    NAME,
    Row,
    created_cell,
    name_cell,
    partial_metadata,
    partial_metadata_list,
    table,
)
from nodes.runtime.simulated.images.sampleapi_kinds import Kind, shown
from nodes.runtime.simulated.images.sampleapi_objects import Objects, Place

Obj: TypeAlias = dict[str, Any]
_COLUMNS = (NAME, CREATED_AT)
_INITIAL_END = {"annotations": {"k8s.io/initial-events-end": "true"}}


@dataclass(frozen=True, slots=True)
class Form:
    """What a client asked for."""

    kind: Kind
    transform: str
    now: float

    @classmethod
    def read(cls, kind: Kind, accept: str, now: float) -> Form:
        """Read an Accept header: the first form that is known."""
        for part in accept.split(","):
            for word in part.split(";"):
                name = word.strip().removeprefix("as=")
                if name in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList"):
                    return cls(kind, name, now)
        return cls(kind, "", now)

    def one(self, obj: Obj) -> Obj:
        """Return an object as it is shown."""
        own = shown(self.kind, obj)
        if self.transform == "Table":
            version = obj["metadata"].get("resourceVersion") or ""
            return self._table([own], {"resourceVersion": version})
        return partial_metadata(own) if self.transform else own

    def many(self, objs: Sequence[Obj], revision: int) -> Obj:
        """Return a list as it is shown."""
        own = [shown(self.kind, obj) for obj in objs]
        metadata = {"resourceVersion": str(revision)}
        if self.transform == "Table":
            return self._table(own, metadata)
        if self.transform:
            return partial_metadata_list(own, metadata)
        items = [{k: v for k, v in obj.items() if k not in ("apiVersion", "kind")} for obj in own]
        version = self.kind.version.api_version
        return {
            "kind": f"{self.kind.kind}List",
            "apiVersion": version,
            "metadata": metadata,
            "items": items,
        }

    def bookmark(self, revision: int, more: Obj) -> Obj:
        about = {"resourceVersion": str(revision), **more}
        return {
            "kind": self.kind.kind,
            "apiVersion": self.kind.version.api_version,
            "metadata": about,
        }

    def _table(self, objs: Sequence[Obj], metadata: Obj) -> Obj:
        now = self.now
        rows = [Row((name_cell(obj, now), created_cell(obj, now)), obj) for obj in objs]
        return table(_COLUMNS, rows, metadata=metadata)


async def watch_events(
    objects: Objects,
    place: Place,
    form: Form,
    query: Mapping[str, str],
    takes: Callable[[Obj], bool],
) -> AsyncIterator[bytes]:
    """Yield the lines of a watch, until its timeout."""
    text = query.get("resourceVersion", "")
    after = int(text) if text.isdigit() and text != "0" else 0
    initial = query.get("sendInitialEvents") == "true"
    if initial or not after:
        after = objects.revision
        for obj in filter(takes, objects.list(place.resource, place.namespace)):
            yield _line("ADDED", form.one(obj))
        if initial:
            yield _line("BOOKMARK", form.bookmark(after, _INITIAL_END))
    changes = objects.watch(place.resource, place.namespace, after, takes)
    seconds = query.get("timeoutSeconds", "")
    limit = float(seconds) if seconds.isdigit() and int(seconds) else None
    try:
        async with asyncio.timeout(limit):
            async for change in changes:
                yield _line(change.type, form.one(change.obj))
    except TimeoutError:
        return
    except ApiError as error:
        yield _line("ERROR", error.status())


def _line(type_: str, obj: Obj) -> bytes:
    return orjson.dumps({"type": type_, "object": obj}) + b"\n"
