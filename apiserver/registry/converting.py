"""Custom kinds whose objects a webhook converts: where reads and writes wait for it.

Of all other kinds each version is made of the stored one at once (`ServedVersion`). Here an object
may be stored in any version that was the stored one when it was written last, and another version
of it has to be asked for. So entries are converted before they are answered or sent to watchers,
and objects before and after a write: everything in between sees the version of the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import orjson

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apiserver.registry.resource import Resource
from apiserver.storage import Entry


class Conversion(Protocol):
    """The way from any version of a kind to any other one."""

    @property
    def storage(self) -> GroupVersionKind:
        """The version in which objects are stored from now on."""
        ...

    async def convert(self, objs: Sequence[Obj], kind: GroupVersionKind) -> list[Obj]:
        """Return objects in a version, those that are in it as they are. Raises ApiError."""
        ...

    async def fields(self, stored: Obj, known: Obj) -> dict[str, str]:
        """Return the selectable fields of an object, of all versions; one of them is known."""
        ...

    def kept(self, entry: Entry, kind: GroupVersionKind) -> Entry | None:
        """Return what an entry came to when it was converted last."""
        ...

    def keep(self, entry: Entry, kind: GroupVersionKind, shown: Entry) -> None: ...


async def shown(resource: Resource, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return entries in the resource's own version; with one call for all. Raises ApiError."""
    conversion: Conversion | None = resource.conversion
    if conversion is None:
        return entries
    kind = resource.kind
    # Taken before anything is waited for: what is kept may be forgotten meanwhile.
    found = [conversion.kept(entry, kind) for entry in entries]
    missing = [entry for entry, made in zip(entries, found, strict=True) if made is None]
    objs = iter(await conversion.convert([entry.obj() for entry in missing], kind))
    return [
        made or _keep(conversion, entry, next(objs), kind)
        for entry, made in zip(entries, found, strict=True)
    ]


def _keep(conversion: Conversion, entry: Entry, obj: Obj, kind: GroupVersionKind) -> Entry:
    made = Entry(
        entry.key, entry.uid, entry.revision, orjson.dumps(obj), entry.labels, entry.fields
    )
    conversion.keep(entry, kind, made)
    return made


async def shown_object(resource: Resource, obj: Obj) -> Obj:
    """Return a stored object in the resource's own version. Raises ApiError."""
    conversion: Conversion | None = resource.conversion
    if conversion is None:
        return obj
    return (await conversion.convert([obj], resource.kind))[0]
