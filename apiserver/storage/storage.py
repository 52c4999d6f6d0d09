"""All clusters that this process serves: made, opened, closed and deleted here, one writer for all.

A cluster that is not open costs nothing but its rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from apimachinery.clock import Clock
from apiserver.storage import clusters, forks, imports, rows
from apiserver.storage.errors import Closed, NoCluster
from apiserver.storage.feed import Hub
from apiserver.storage.imports import Imported
from apiserver.storage.reader import Reader
from apiserver.storage.store import ClusterStore
from apiserver.storage.types import ClusterRecord, Entry, Key, Write
from apiserver.storage.writer import Writer

# Rows a transaction of a deletion removes: some 10 ms, so that other clusters' writes go on.
REMOVE_BATCH = 1000
# Objects that a transaction of a fork copies, with their bodies twice.
COPY_BATCH = 250


class Storage:
    """The database as this process uses it. Belongs to the event loop of its first call.

    `hub` makes the watch hub of a store; `clock` stamps changes until a store is given another.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        hub: Callable[[ClusterStore], Hub],
        alias: str = "default",
        writer: Callable[[str, asyncio.AbstractEventLoop], Writer] = Writer,
    ) -> None:
        self._clock = clock
        self._make_writer = writer
        self._hub = hub
        self._alias = alias
        self._reader = Reader(alias)
        self._writer: Writer | None = None
        self._stores: dict[str, ClusterStore] = {}
        # Opening, closing and deleting wait for each other; reads and writes of objects do not.
        self._lock = asyncio.Lock()
        self._closed = False

    async def create_cluster(
        self, record: ClusterRecord, objects: Sequence[Write] = ()
    ) -> ClusterStore:
        """Make a cluster that holds `objects`, in one transaction, and open it."""
        now = self._clock.seconds()
        record.created = record.created or now
        async with self._lock:
            entries = await self._writing().do(
                lambda cursor: clusters.create(cursor, record, objects, now)
            )
            return self._store(record, entries)

    async def fork_cluster(
        self, source: ClusterStore, revision: int, record: ClusterRecord
    ) -> ClusterStore:
        """Make a cluster that begins as `source` was at a revision, and open it.

        Raises Compacted or ClusterExists.
        """
        record.created = record.created or self._clock.seconds()
        record.revision = record.compacted = revision
        found = await source.ask(
            revision, lambda cursor, cluster: forks.state(cursor, cluster, revision)
        )
        number = await self._writing().do(lambda cursor: forks.begin(cursor, record))
        try:
            for start in range(0, len(found), COPY_BATCH):
                part = found[start : start + COPY_BATCH]
                await self._writing().do(partial(forks.copy, cluster=number, changes=part))
            await self._writing().do(lambda cursor: forks.reveal(cursor, number, record.name))
        except BaseException:
            await self._remove(number)
            raise
        return await self.open_cluster(record.name)

    async def import_log(
        self, record: ClusterRecord, batches: AsyncIterator[Sequence[Imported]]
    ) -> int:
        """Make a cluster of a log, a transaction a batch, that nobody sees; return its number.

        Whatever `batches` raises is raised, and nothing is left. `reveal_cluster` comes next.
        """
        record.created = record.created or self._clock.seconds()
        number = await self._writing().do(lambda cursor: forks.begin(cursor, record))
        try:
            async for batch in batches:
                await self._writing().do(partial(imports.add, cluster=number, changes=batch))
        except BaseException:
            await self._remove(number)
            raise
        return number

    async def reveal_cluster(self, number: int, name: str) -> ClusterStore:
        """Show what `import_log` made under its name, and open it. Raises ClusterExists."""
        try:
            await self._writing().do(lambda cursor: forks.reveal(cursor, number, name))
        except BaseException:
            await self._remove(number)
            raise
        return await self.open_cluster(name)

    async def open_cluster(self, name: str) -> ClusterStore:
        """Return the store of a cluster, read into memory unless it is there. Raises NoCluster."""
        if (store := self._stores.get(name)) is not None:
            return store
        async with self._lock:
            if (store := self._stores.get(name)) is not None:
                return store
            # After what the writer still has queued, so that nothing is read half.
            record = await self._writing().do(lambda cursor: clusters.find(cursor, name))
            entries = await self._reader.read(lambda cursor: rows.objects(cursor, record.id))
            return self._store(record, entries)

    async def close_cluster(self, name: str) -> None:
        """Forget a cluster's memory, its writes committed; a cluster that is not open stays so."""
        async with self._lock:
            await self._close(name, "closed")

    async def delete_cluster(self, name: str) -> None:
        """Remove a cluster: its name is free at once, its rows go in steps. Raises NoCluster."""
        async with self._lock:
            await self._close(name, "deleted")
            record = await self._writing().do(lambda cursor: clusters.find(cursor, name))
            await self._writing().do(lambda cursor: clusters.mark(cursor, record.id))
        await self._remove(record.id)

    async def purge(self) -> None:
        """Finish the deletions that an earlier process began. For the start of a process."""
        for cluster in await self._writing().do(clusters.marked):
            await self._remove(cluster)

    async def update_cluster(self, record: ClusterRecord) -> None:
        """Store a cluster's owner, template, nodes, keys and settings as the record has them."""
        await self._writing().do(lambda cursor: clusters.update(cursor, record))

    async def cluster(self, name: str) -> ClusterRecord:
        """Return one cluster's row. Raises NoCluster."""
        return await self._reader.read(lambda cursor: clusters.find(cursor, name))

    async def clusters(self) -> list[ClusterRecord]:
        """Return every cluster's row, by name."""
        return await self._reader.read(clusters.every)

    def opened(self, name: str) -> ClusterStore:
        """Return a store that is open. Raises NoCluster."""
        try:
            return self._stores[name]
        except KeyError:
            raise NoCluster(name) from None

    async def close(self) -> None:
        """Close every cluster, commit what is queued, and end the threads."""
        async with self._lock:
            self._closed = True
            for name in list(self._stores):
                await self._close(name, "closed")
            if self._writer is not None:
                await self._writer.close()
            await self._reader.close()

    async def _close(self, name: str, reason: str) -> None:
        store = self._stores.pop(name, None)
        if store is not None:
            await store.close(reason)

    async def _remove(self, cluster: int) -> None:
        while await self._writing().do(
            lambda cursor: clusters.remove(cursor, cluster, REMOVE_BATCH)
        ):
            pass

    def _store(self, record: ClusterRecord, entries: dict[Key, Entry]) -> ClusterStore:
        store = ClusterStore(
            record,
            entries,
            writer=self._writing(),
            reader=self._reader,
            clock=self._clock,
            hub=self._hub,
        )
        self._stores[record.name] = store
        return store

    def _writing(self) -> Writer:
        if self._writer is None:
            if self._closed:
                raise Closed("the storage is closed")
            self._writer = self._make_writer(self._alias, asyncio.get_running_loop())
        return self._writer
