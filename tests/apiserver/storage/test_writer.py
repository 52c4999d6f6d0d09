"""The writer when the connection fails at the worst moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from apiserver.storage import Entry, Storage, Unavailable
from apiserver.storage.connection import Connection
from apiserver.storage.staging import Head, Prepared
from apiserver.storage.store import ClusterStore
from apiserver.storage.writer import Writer
from tests.support.writes import create


class FailingCursor:
    """A cursor whose statements may be made to fail, before or after they have run."""

    def __init__(self, cursor: Any, faults: Faults) -> None:
        self._cursor = cursor
        self._faults = faults

    def execute(self, statement: str, *parameters: Any) -> None:
        self._faults.check("before", statement)
        self._cursor.execute(statement, *parameters)
        self._faults.check("after", statement)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class Faults:
    """Which statements fail, and how often the writer has connected."""

    def __init__(self) -> None:
        self.failing: set[tuple[str, str]] = set()
        self.closed = 0

    def check(self, when: str, statement: str) -> None:
        if any(when == at and word in statement for at, word in self.failing):
            raise OperationalError("the connection is lost")

    def connect(self, alias: str) -> Connection:
        faults = self

        class Failing(Connection):
            def cursor(self) -> Any:
                return FailingCursor(super().cursor(), faults)

            def close(self) -> None:
                faults.closed += 1
                super().close()

        return Failing(alias)


@pytest.fixture
async def faults():
    return Faults()


@pytest.fixture
async def write(sqlite: str, faults: Faults, storage: Storage, cluster: ClusterStore):
    """Write by a writer of our own, on the rows of `cluster`, which itself stays idle."""
    writer = Writer(sqlite, asyncio.get_running_loop(), connect=faults.connect)
    head = Head(cluster.record.id, 0, {}, cluster.apply)

    async def call(name: str) -> Entry:
        (result,) = await writer.write(head, [Prepared(create(name), 0.0)])
        if isinstance(result, Exception):
            raise result
        return result

    yield call
    await writer.close()


Call = Callable[[str], Any]


async def test_a_commit_whose_answer_is_lost_is_told_once_it_is_known(
    write: Call, faults: Faults, cluster: ClusterStore
):
    await write("a")
    faults.failing = {("after", "COMMIT"), ("before", "ROLLBACK"), ("before", "SELECT")}
    with pytest.raises(Unavailable):
        await write("b")
    with pytest.raises(Unavailable):
        await write("c")
    assert (cluster.revision, faults.closed > 0) == (1, True)
    faults.failing = set()
    assert (await write("d")).revision == 3
    assert [entry.key.name for entry in cluster.list("configmaps")] == ["a", "b", "d"]
    assert [event.entry.key.name for event in await cluster.changes(None, 0)] == ["a", "b", "d"]


@pytest.mark.parametrize("where", ["BEGIN", "UPDATE", "COMMIT"])
async def test_a_transaction_that_never_committed_is_forgotten(
    write: Call, faults: Faults, cluster: ClusterStore, where: str
):
    faults.failing = {("before", where)}
    with pytest.raises(Unavailable):
        await write("b")
    faults.failing = set()
    assert (await write("b")).revision == 1
    assert cluster.revision == 1


async def test_a_fault_of_ours_does_not_end_the_thread(write: Call, cluster: ClusterStore):
    writer = cluster._writer

    def faulty(_cursor: Any) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await writer.do(faulty)
    assert (await cluster.commit(create("a"))).revision == 1


async def test_a_waiter_that_left_does_not_stop_the_others(cluster: ClusterStore):
    leaving = asyncio.ensure_future(cluster.commit(create("a")))
    staying = asyncio.ensure_future(cluster.commit(create("b")))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).revision == 2
    assert len(cluster.list("configmaps")) == 2
