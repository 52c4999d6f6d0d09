"""What the sample API server stores: objects in memory, their revisions, and watches of them."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from apimachinery.clock import Clock
from apimachinery.errors import AlreadyExists, Conflict, Expired, NotFound
from apimachinery.gvk import GroupResource
from apimachinery.meta import is_deleting

Obj: TypeAlias = dict[str, Any]
# Objects and watches of one server: its users are not trusted.
MAX_OBJECTS, MAX_WATCHES = 5000, 100
# Changes that a watch can go on from.
_LOG = 1000
_MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


class Place(NamedTuple):
    """Where an object is."""

    resource: GroupResource
    namespace: str
    name: str


class Change(NamedTuple):
    """One write; `obj` has its revision."""

    type: str
    place: Place
    revision: int
    obj: Obj


@dataclass(slots=True)
class Objects:
    """All objects of one server. Objects that go in or out are never changed."""

    clock: Clock
    seed: int
    _objects: dict[Place, Obj] = field(default_factory=dict)
    _revision: int = 1
    _log: deque[Change] = field(default_factory=lambda: deque(maxlen=_LOG))
    _waiters: set[asyncio.Future[None]] = field(default_factory=set)
    _chance: random.Random | None = None

    @property
    def revision(self) -> int:
        return self._revision

    def get(self, place: Place) -> Obj:
        """Return an object. Raises NotFound."""
        found = self._objects.get(place)
        if found is None:
            raise NotFound(place.resource, place.name)
        return found

    def list(self, resource: GroupResource, namespace: str) -> list[Obj]:
        """Return the objects of a namespace, of all for ""."""
        found = [
            (place.namespace, place.name, obj)
            for place, obj in self._objects.items()
            if place.resource == resource and namespace in ("", place.namespace)
        ]
        return [obj for _, _, obj in sorted(found, key=lambda each: each[:2])]

    def create(self, place: Place, obj: Obj) -> Obj:
        """Store a new object. Raises AlreadyExists."""
        if place in self._objects or len(self._objects) >= MAX_OBJECTS:
            raise AlreadyExists(place.resource, place.name)
        if self._chance is None:
            self._chance = random.Random(self.seed)  # noqa: S311 - names, not secrets
        uid = uuid.UUID(int=self._chance.getrandbits(128), version=4)
        about = {
            **obj["metadata"],
            "uid": str(uid),
            "creationTimestamp": self.clock.timestamp(),
        }
        return self._put("ADDED", place, {**obj, "metadata": about})

    def update(self, place: Place, obj: Obj) -> Obj:
        """Replace an object, and let it go if nothing holds it any more. NotFound, Conflict."""
        old = self.get(place)
        before, about = old["metadata"], dict(obj["metadata"])
        wanted = about.get("resourceVersion")
        if wanted and wanted != before["resourceVersion"]:
            raise Conflict(place.resource, place.name, _MODIFIED)
        for name in ("uid", "creationTimestamp", "deletionTimestamp", "name", "namespace"):
            about.pop(name, None)
            if name in before:
                about[name] = before[name]
        about["resourceVersion"] = before["resourceVersion"]
        new = {**obj, "metadata": about}
        if new == old:
            return old
        if is_deleting(new) and not about.get("finalizers"):
            return self._remove(place, new)
        return self._put("MODIFIED", place, new)

    def delete(self, place: Place) -> Obj:
        """Delete an object, or mark it as going where finalizers hold it. Raises NotFound."""
        old = self.get(place)
        if not old["metadata"].get("finalizers"):
            return self._remove(place, old)
        if is_deleting(old):
            return old
        about = {**old["metadata"], "deletionTimestamp": self.clock.timestamp()}
        return self._put("MODIFIED", place, {**old, "metadata": about})

    async def watch(
        self, resource: GroupResource, namespace: str, after: int, matches: Callable[[Obj], bool]
    ) -> AsyncIterator[Change]:
        """Yield what changes after a revision, for ever. Raises Expired."""
        if self._log and after + 1 < self._log[0].revision and len(self._log) == _LOG:
            raise Expired(f"too old resource version: {after} ({self._log[0].revision - 1})")
        if len(self._waiters) >= MAX_WATCHES:
            return
        while True:
            for change in [one for one in self._log if one.revision > after]:
                after = change.revision
                place = change.place
                there = place.resource == resource and namespace in ("", place.namespace)
                if there and matches(change.obj):
                    yield change
            if self._revision <= after or not self._log or self._log[-1].revision <= after:
                await self._changed()

    def _put(self, type_: str, place: Place, obj: Obj) -> Obj:
        self._revision += 1
        about = {**obj["metadata"], "resourceVersion": str(self._revision)}
        stored = self._objects[place] = {**obj, "metadata": about}
        self._note(type_, place, stored)
        return stored

    def _remove(self, place: Place, obj: Obj) -> Obj:
        self._revision += 1
        del self._objects[place]
        about = {**obj["metadata"], "resourceVersion": str(self._revision)}
        self._note("DELETED", place, {**obj, "metadata": about})
        return obj

    def _note(self, type_: str, place: Place, obj: Obj) -> None:
        self._log.append(Change(type_, place, self._revision, obj))
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _changed(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
