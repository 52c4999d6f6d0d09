"""The one thread that writes: it takes what has queued and commits it as one transaction.

- Writes of a cluster get their revisions in the order in which they were submitted.
- A refusal (Exists, Missing, Changed) fails its own write only.
- A write is acknowledged after the commit; its event is delivered before its waiter wakes.
- A transaction that fails leaves no trace: its waiters get Unavailable, and the writer goes on.

No timer forms batches: while one transaction syncs to disk, the next batch queues.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, TypeVar

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError
from django.db.backends.utils import CursorWrapper

from apiserver.storage import rows
from apiserver.storage.connection import Connection
from apiserver.storage.errors import Closed, Fenced, StorageError, Unavailable
from apiserver.storage.staging import Head, Prepared, Staged
from apiserver.storage.types import Entry, Event

logger = logging.getLogger(__name__)

T = TypeVar("T")
Result: TypeAlias = "Entry | StorageError"

# 256 writes of 5 KB are 2.5 MB of log and some 10 ms: longer batches add delay, not throughput.
BATCH = 256


class Request:
    """Writes to one cluster, submitted together, and the future of their results."""

    __slots__ = ("future", "head", "prepared", "results", "together")

    def __init__(
        self,
        head: Head,
        prepared: Sequence[Prepared],
        future: asyncio.Future[list[Result]],
        *,
        together: bool,
    ) -> None:
        self.head = head
        self.prepared = prepared
        self.future = future
        self.together = together
        self.results: list[Result] = []

    def fail(self, error: StorageError) -> None:
        self.results = [error] * len(self.prepared)


class Job:
    """Something else to do on the writer's thread, between two batches."""

    __slots__ = ("call", "future")

    def __init__(self, call: Callable[[CursorWrapper], Any], future: asyncio.Future[Any]) -> None:
        self.call = call
        self.future = future


class Writer:
    """The queue and its thread. Its public methods are called on the event loop."""

    def __init__(
        self,
        alias: str,
        loop: asyncio.AbstractEventLoop,
        connect: Callable[[str], Connection] = Connection,
    ) -> None:
        self._alias = alias
        self._connect = connect
        self._loop = loop
        self._queue: SimpleQueue[Request | Job | None] = SimpleQueue()
        self._doubts: list[Staged] = []
        self._closed = False
        self.start()

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="storage-writer", daemon=True)
        self._thread.start()

    def write(
        self, head: Head, prepared: Sequence[Prepared], *, together: bool = False
    ) -> asyncio.Future[list[Result]]:
        """Queue writes to one cluster; each gets an entry or its own refusal.

        Those that belong `together` are made all, or none where one is refused.
        """
        if self._closed:
            raise Closed("the storage is closed")
        future: asyncio.Future[list[Result]] = self._loop.create_future()
        self._queue.put(Request(head, prepared, future, together=together))
        return future

    def do(self, call: Callable[[CursorWrapper], T]) -> asyncio.Future[T]:
        """Queue a transaction of its own: `call` runs inside it, and its result is returned."""
        if self._closed:
            raise Closed("the storage is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(Job(call, future))
        return future

    async def close(self) -> None:
        """Commit what has queued, then end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)

    # Everything below runs on the writer's thread.

    def _run(self) -> None:
        self._connection = self._connect(self._alias)
        try:
            while self._turn(self._queue.get()):
                pass
        finally:
            self._connection.close()

    def _turn(self, item: Request | Job | None) -> bool:
        """Work off one item and what has queued behind it; False to end."""
        batch: list[Request] = []
        size = 0
        while isinstance(item, Request):
            batch.append(item)
            size += len(item.prepared)
            if size >= BATCH:
                break
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
        if batch:
            self._guarded(lambda: self._write(batch), [request.future for request in batch])
        if isinstance(item, Job):
            job = item
            self._guarded(lambda: self._do(job), [job.future])
        return item is not None

    def _guarded(self, work: Callable[[], None], waiting: list[asyncio.Future[Any]]) -> None:
        """Do it, and let no fault of ours leave a waiter waiting or end the thread."""
        try:
            work()
        except Exception as fault:
            logger.exception("writer: fault")
            failed: list[tuple[asyncio.Future[Any], Any]] = [(f, fault) for f in waiting]
            self._answer([], failed)

    def _write(self, batch: list[Request]) -> None:
        staged = self._commit(batch)
        deliveries = [(s.head, s.events) for s in staged if s.events]
        self._answer(deliveries, [(request.future, request.results) for request in batch])

    def _commit(self, batch: list[Request]) -> list[Staged]:
        """Commit a batch and fill in its requests' results; return what was committed."""
        try:
            self._settle_doubts()
            staged = _stage(batch)
            fenced = self._transact(list(staged.values()))
        except (DataError, IntegrityError) as error:
            # One value that the database cannot take must not fail its neighbours.
            if len(batch) > 1:
                return [done for request in batch for done in self._commit([request])]
            _fail(batch, error)
            return []
        except (DatabaseError, InterfaceError) as error:
            logger.warning("writer: transaction failed: %s", error)
            _fail(batch, error)
            return []
        for request in batch:
            if request.head.cluster in fenced:
                request.fail(Fenced(f"cluster {request.head.cluster} is written elsewhere"))
        done = [s for s in staged.values() if s.head.cluster not in fenced]
        for each in done:
            each.commit()
        return done

    def _transact(self, staged: list[Staged]) -> set[int]:
        """Commit what is staged; return the clusters that somebody else has written to."""
        changing = [s for s in staged if s.changes]
        if not changing:
            return set()
        cursor = self._connection.cursor()
        fenced: set[int] = set()
        with _transaction(self._connection, cursor):
            for each in changing:
                head = each.head
                if not rows.advance(cursor, head.cluster, head.revision, each.revision):
                    fenced.add(head.cluster)
            _insert(cursor, [s for s in changing if s.head.cluster not in fenced])
            self._doubts = [s for s in changing if s.head.cluster not in fenced]
        self._doubts = []
        return fenced

    def _settle_doubts(self) -> None:
        """Find out about a commit whose answer was lost with the connection.

        Its waiters were told that it failed. If it did not, its events are delivered now, so that
        memory and database agree before anything else is written.
        """
        if not self._doubts:
            return
        doubts = self._doubts
        with _closing_when_lost(self._connection):
            cursor = self._connection.cursor()
            landed = [s for s in doubts if rows.revision(cursor, s.head.cluster) == s.revision]
        self._doubts = []
        for each in landed:
            each.commit()
        self._answer([(s.head, s.events) for s in landed], [])

    def _do(self, job: Job) -> None:
        try:
            self._settle_doubts()
            cursor = self._connection.cursor()
            with _transaction(self._connection, cursor):
                result = job.call(cursor)
        except StorageError as refusal:
            result = refusal
        except (DatabaseError, InterfaceError) as error:
            logger.warning("writer: job failed: %s", error)
            result = _unavailable(error)
        self._answer([], [(job.future, result)])

    def _answer(
        self,
        deliveries: list[tuple[Head, list[Event]]],
        results: list[tuple[asyncio.Future[Any], Any]],
    ) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call_soon_threadsafe(_deliver, deliveries, results)


def _stage(batch: list[Request]) -> dict[int, Staged]:
    staged: dict[int, Staged] = {}
    for request in batch:
        head = request.head
        if (mine := staged.get(head.cluster)) is None:
            mine = staged[head.cluster] = Staged(head)
        if request.together:
            request.results = mine.add_together(request.prepared)
        else:
            request.results = [mine.add(prepared) for prepared in request.prepared]
    return staged


def _insert(cursor: CursorWrapper, staged: list[Staged]) -> None:
    if upserts := [row for s in staged for row in s.upserts()]:
        rows.upsert(cursor, upserts)
    if deletes := [row for s in staged for row in s.deletes()]:
        rows.delete(cursor, deletes)
    if changes := [row for s in staged for row in s.changes]:
        rows.log(cursor, changes)


@contextlib.contextmanager
def _transaction(connection: Connection, cursor: CursorWrapper) -> Iterator[None]:
    """Run the block as one transaction; on an error nothing of it stays."""
    try:
        cursor.execute(connection.dialect.begin)
        yield
        cursor.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(DatabaseError, InterfaceError), _closing_when_lost(connection):
            cursor.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def _closing_when_lost(connection: Connection) -> Iterator[None]:
    """Close a connection that fails, so that the next cursor opens another."""
    try:
        yield
    except (DatabaseError, InterfaceError):
        connection.close()
        raise


def _fail(batch: list[Request], error: Exception) -> None:
    for request in batch:
        request.fail(_unavailable(error))


def _unavailable(error: Exception) -> Unavailable:
    failure = Unavailable(str(error))
    failure.__cause__ = error
    return failure


def _deliver(
    deliveries: list[tuple[Head, list[Event]]], results: list[tuple[asyncio.Future[Any], Any]]
) -> None:
    """On the event loop: events first, then those who waited for their writes."""
    for head, events in deliveries:
        head.apply(events)
    for future, result in results:
        if future.done():  # its caller has gone; the write stands
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
