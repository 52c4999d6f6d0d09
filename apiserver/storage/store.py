"""One open cluster: reads from memory, writes through the writer's queue, history from the log.

- `get` and `list` answer from memory and show each committed write, in the order of revisions.
- `commit` returns once the write is durable and its event has been handed to the hub, so that a
  client that watches has seen its own write.
- Revisions have no gaps: one for each write that changed something.
- `revision` belongs to what `get` and `list` show at the same moment on the event loop.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

from django.db.backends.utils import CursorWrapper

from apimachinery.clock import Clock
from apiserver.storage import clusters, history, past
from apiserver.storage.cache import ResourceCache
from apiserver.storage.errors import Closed, Compacted, StorageError
from apiserver.storage.feed import Hub
from apiserver.storage.reader import Reader
from apiserver.storage.staging import Head, Prepared
from apiserver.storage.types import ChangeRecord, ClusterRecord, Entry, Event, Key, Write
from apiserver.storage.writer import Result, Writer

# Rows a trimming transaction looks at: some 5 ms, so that writes get their turn in between.
FORGET_BATCH = 500
# The setting of a cluster that says when its oldest history was forgotten.
COMPACTED_AT = "compactedAt"

# Named here, since `list` means something else inside the class.
Results: TypeAlias = list[Result]
T = TypeVar("T")

_NOTHING = ResourceCache()


class ClusterStore:
    """A cluster's objects. All methods are called on the event loop."""

    hub: Hub

    def __init__(
        self,
        record: ClusterRecord,
        entries: dict[Key, Entry],
        *,
        writer: Writer,
        reader: Reader,
        clock: Clock,
        hub: Callable[[ClusterStore], Hub],
    ) -> None:
        self.record = record
        self.revision = record.revision
        self.oldest = record.compacted
        self.clock = clock
        self._writer = writer
        self._reader = reader
        self._head = Head(record.id, record.revision, entries, self.apply)
        self._resources = _by_resource(entries.values())
        # How much there is: objects, and their bytes.
        self.objects = len(entries)
        self.size = sum(len(entry.raw) for entry in entries.values())
        self._open = True
        self.hub = hub(self)

    @property
    def name(self) -> str:
        return self.record.name

    def get(self, key: Key) -> Entry | None:
        """Return the object at `key`, None where there is none."""
        return self._resources.get(key.resource, _NOTHING).get(key)

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Entry]:
        """Return a snapshot in the order of their paths; never change it."""
        return self._resources.get(resource, _NOTHING).list(namespace)

    def on_node(self, node: str) -> Sequence[Entry]:
        """Return the pods that are bound to a node, in the order of their paths."""
        return self._resources.get("pods", _NOTHING).having(node)

    def resources(self) -> Sequence[str]:
        """Return the resources of which there are objects."""
        return [name for name, cache in self._resources.items() if len(cache)]

    async def commit(self, write: Write) -> Entry:
        """Make one write. Raises Exists, Missing, Changed, or Unavailable."""
        (result,) = await self._submit([write])
        if isinstance(result, StorageError):
            raise result
        return result

    async def commit_many(self, writes: Iterable[Write]) -> Sequence[Entry | StorageError]:
        """Make several writes; each gets its entry, or the error that is its own."""
        batch = list(writes)
        return await self._submit(batch) if batch else []

    async def commit_together(self, writes: Sequence[Write]) -> Sequence[Entry | StorageError]:
        """Make several writes to different keys, or none where one of them is refused.

        That one gets its error, the others Dropped.
        """
        return await self._submit(writes, together=True)

    async def list_at(self, resource: str, namespace: str | None, revision: int) -> Sequence[Entry]:
        """Return what a resource held at a past revision. Raises Compacted."""
        if revision >= self.revision:
            return self.list(resource, namespace)
        return await self._state(resource, namespace, revision)

    async def get_at(self, key: Key, revision: int) -> Entry | None:
        """Return what was at `key` at a past revision. Raises Compacted."""
        if revision >= self.revision:
            return self.get(key)
        return await self.ask(
            revision, lambda cursor, cluster: past.one(cursor, cluster, key, revision)
        )

    async def ask(self, revision: int, query: Callable[[CursorWrapper, int], T]) -> T:
        """Ask the log something about a revision and what came after it. Raises Compacted."""
        self._require(revision)
        cluster = self.record.id
        found = await self._reader.read(lambda cursor: query(cursor, cluster))
        self._require(revision)  # the log may have been trimmed while it was read
        return found

    async def changes(
        self,
        resource: str | None,
        after: int,
        upto: int | None = None,
        limit: int = sys.maxsize,
    ) -> Sequence[Event]:
        """Return the first `limit` events of (after, upto] from the log. Raises Compacted."""
        end = self.revision if upto is None else min(upto, self.revision)
        if after >= end:
            return []
        return await self.ask(
            after,
            lambda cursor, cluster: history.changes(cursor, cluster, resource, after, end, limit),
        )

    async def snapshot(self, revision: int) -> Sequence[Entry]:
        """Return everything that was there at `revision`. Raises Compacted."""
        if revision >= self.revision:
            return [entry for name in self.resources() for entry in self.list(name)]
        return await self._state(None, None, revision)

    async def records(
        self, *, key: Key | None = None, before: int | None = None, limit: int = 100
    ) -> Sequence[ChangeRecord]:
        """Return who changed what and when, of one object or of all, the latest first.

        Only what the log still has; to go further back, ask before the last revision seen.
        """
        cluster = self.record.id
        end = self.revision + 1 if before is None else before
        return await self._reader.read(
            lambda cursor: history.records(cursor, cluster, key, end, limit)
        )

    async def compact(self, revision: int) -> None:
        """Forget the changes up to `revision`; the state at it can still be told."""
        floor = min(revision, self.revision)
        if floor <= self.oldest:
            return
        self.oldest = floor
        cluster = self.record.id
        self.record.settings = {**self.record.settings, COMPACTED_AT: self.clock.seconds()}
        await self._writer.do(self._raise_floor)
        after: int | None = 0
        while after is not None:
            step = partial(
                history.forget, cluster=cluster, after=after, floor=floor, limit=FORGET_BATCH
            )
            after = await self._writer.do(step)

    def _raise_floor(self, cursor: CursorWrapper) -> None:
        history.raise_floor(cursor, self.record.id, self.oldest)
        clusters.update(cursor, self.record)

    @property
    def compacted_at(self) -> float | None:
        """When the oldest history was forgotten, in seconds; None where none ever was."""
        found = self.record.settings.get(COMPACTED_AT)
        return None if found is None else float(found)

    def apply(self, events: Sequence[Event]) -> None:
        """Take in what the writer has committed: memory first, then those who watch."""
        for event in events:
            resource = event.entry.key.resource
            cache = self._resources.get(resource)
            if cache is None:
                cache = self._resources[resource] = ResourceCache(resource=resource)
            cache.apply(event)
            self.revision = event.revision
            self._count(event)
        self.hub.publish(events)

    def _count(self, event: Event) -> None:
        if event.previous is not None:
            self.size -= len(event.previous.raw)
        if event.type == "DELETED":
            self.objects -= 1
            return
        self.size += len(event.entry.raw)
        if event.previous is None:
            self.objects += 1

    def restate(self, old: Entry, new: Entry) -> None:
        """Show a stored object in another form, as its kind's schema has it by now.

        Nothing is written: the object keeps its revision, and takes the form with its next write.
        """
        cache = self._resources.get(old.key.resource)
        if cache is not None:
            cache.restate(old, new)

    async def close(self, reason: str) -> None:
        """Refuse further writes, wait for those under way, and end every watch."""
        if self._open:
            self._open = False
            await self._writer.do(lambda _cursor: None)
            self.hub.close(reason)

    async def _state(
        self, resource: str | None, namespace: str | None, revision: int
    ) -> Sequence[Entry]:
        return await self.ask(
            revision,
            lambda cursor, cluster: history.state(cursor, cluster, resource, namespace, revision),
        )

    def _submit(
        self, writes: Sequence[Write], *, together: bool = False
    ) -> asyncio.Future[Results]:
        if not self._open:
            raise Closed(f"cluster {self.name} is closed")
        now = self.clock.seconds()
        prepared = [Prepared(write, now) for write in writes]
        return self._writer.write(self._head, prepared, together=together)

    def _require(self, revision: int) -> None:
        if revision < self.oldest:
            raise Compacted(revision, self.oldest)


def _by_resource(entries: Iterable[Entry]) -> dict[str, ResourceCache]:
    grouped: dict[str, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry.key.resource, []).append(entry)
    return {resource: ResourceCache(found, resource) for resource, found in grouped.items()}
