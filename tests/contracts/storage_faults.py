"""What goes wrong loses nothing that was acknowledged."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from apimachinery.clock import ManualClock
from apiserver.storage import (
    ClusterRecord,
    ClusterStore,
    Entry,
    Fenced,
    Storage,
    Unavailable,
)
from apiserver.storage.connection import POSTGRESQL, Connection
from apiserver.watch.hub import WatchHub
from tests.contracts.storage_base import StorageCase, execute
from tests.support.writes import create, told


class FaultsContract(StorageCase):
    """Databases that fail, writers that are in doubt, processes that are killed."""

    async def test_a_transaction_that_fails_loses_nothing(self, store: ClusterStore, alias: str):
        await store.commit(create("a"))
        async with _renamed(alias, "change"):
            results = await asyncio.gather(
                *[store.commit(create(f"lost{n}")) for n in range(5)], return_exceptions=True
            )
            assert [type(result) for result in results] == [Unavailable] * 5
            with pytest.raises(Unavailable):
                await store.changes(None, 0)
        assert (store.revision, len(store.list("configmaps"))) == (1, 1)
        again = await store.commit(create("lost0"))
        assert again.revision == 2
        assert [change.revision for change in await store.changes(None, 0)] == [1, 2]

    async def test_a_value_that_the_database_refuses_fails_alone(
        self, storage: Storage, store: ClusterStore, alias: str
    ):
        other = await storage.create_cluster(ClusterRecord("other"))
        await _refuse_actor(alias, "poison")
        bad = create("bad")
        bad.actor = "poison"
        results = await asyncio.gather(
            store.commit(create("a")),
            store.commit(bad),
            other.commit(create("b")),
            store.commit(create("c")),
            return_exceptions=True,
        )
        kinds = [type(result).__name__ for result in results]
        assert kinds == ["Entry", "Unavailable", "Entry", "Entry"]
        assert (store.revision, other.revision) == (2, 1)

    async def test_a_second_writer_fences_the_first(
        self, storage: Storage, store: ClusterStore, alias: str, clock: ManualClock
    ):
        bystander = await storage.create_cluster(ClusterRecord("bystander"))
        usurper = Storage(clock=clock, hub=WatchHub, alias=alias)
        await (await usurper.open_cluster("one")).commit(create("theirs"))
        await usurper.close()
        results = await asyncio.gather(
            store.commit(create("mine")), bystander.commit(create("b")), return_exceptions=True
        )
        assert [type(result) for result in results] == [Fenced, Entry]
        await storage.close_cluster("one")
        store = await storage.open_cluster("one")
        assert [told(event) for event in await store.changes(None, 0)] == [("ADDED", "theirs", 1)]

    async def test_what_was_acknowledged_survives_a_kill(
        self, storage: Storage, environment: dict[str, str]
    ):
        acknowledged = await asyncio.to_thread(_write_until_killed, environment, 400)
        store = await storage.open_cluster("crash")
        log = {event.revision: told(event) for event in await store.changes(None, 0)}
        assert sorted(log) == list(range(1, store.revision + 1))
        for type_, name, revision in acknowledged:
            assert log[revision] == (type_, name, revision)
        state: dict[str, int] = {}
        for type_, name, revision in log.values():
            state[name] = revision
            if type_ == "DELETED":
                del state[name]
        assert {entry.key.name: entry.revision for entry in store.list("configmaps")} == state


@asynccontextmanager
async def _renamed(alias: str, table: str) -> AsyncIterator[None]:
    """Take a table away for a while: each transaction that needs it fails."""
    await execute(alias, f'ALTER TABLE "{table}" RENAME TO away')
    yield
    await execute(alias, f'ALTER TABLE away RENAME TO "{table}"')


async def _refuse_actor(alias: str, actor: str) -> None:
    if Connection(alias).dialect is POSTGRESQL:
        await execute(alias, f"ALTER TABLE \"change\" ADD CHECK (actor <> '{actor}')")
        return
    await execute(
        alias,
        f"CREATE TRIGGER refuse BEFORE INSERT ON \"change\" WHEN new.actor = '{actor}' "
        "BEGIN SELECT RAISE(ABORT, 'refused'); END",
    )


def _write_until_killed(environment: dict[str, str], lines: int) -> list[tuple[str, str, int]]:
    """Kill a writing process in the middle of its work; return what it had acknowledged."""
    root = Path(__file__).parent.parent.parent
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    settings = {"DJANGO_SETTINGS_MODULE": "playground.settings", "PYTHONPATH": str(root)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.crashing_writer"],
        cwd=root,
        env=inherited | settings | environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        found = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        found += process.stdout.readlines()
    words = [line.split() for line in found if line.endswith("\n")]
    assert len(words) >= lines, "the writer died too early"
    return [(type_, name, int(revision)) for type_, name, revision in words]
