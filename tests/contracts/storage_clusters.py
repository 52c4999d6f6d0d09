"""Clusters are made and deleted whole, and know nothing of each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from apiserver.storage import (
    Closed,
    ClusterExists,
    ClusterRecord,
    Compacted,
    Event,
    EventType,
    Exists,
    Imported,
    NoCluster,
    Storage,
    imported,
)
from tests.contracts.storage_base import StorageCase, count, execute
from tests.support.writes import create, data_of, delete, key, told, update

TABLES = ("cluster", "object", "change")


class ClustersContract(StorageCase):
    """Clusters beside one another, forks and imports."""

    async def test_a_cluster_is_made_with_its_objects_at_once(self, storage: Storage):
        record = ClusterRecord("made", owner="o", template="t", nodes=3, settings={"speed": 2})
        store = await storage.create_cluster(record, [create(f"o{n}") for n in range(300)])
        assert (store.revision, len(store.list("configmaps"))) == (300, 300)
        assert len(await store.changes(None, 0)) == 300
        (found,) = await storage.clusters()
        assert (found.owner, found.template, found.nodes) == ("o", "t", 3)
        assert (found.settings, found.revision) == ({"speed": 2}, 300)
        with pytest.raises(ClusterExists):
            await storage.create_cluster(ClusterRecord("made"))

    async def test_a_fork_is_the_other_as_it_was(self, storage: Storage, alias: str):
        source = await storage.create_cluster(ClusterRecord("one"))
        await source.commit_many([create(f"o{n}", {"n": str(n)}, kind="k") for n in range(600)])
        await source.commit_many([update("o1", n=2), delete("o2"), delete("o3")])
        revision = source.revision - 1
        wanted = {entry.key: entry.raw for entry in await source.snapshot(revision)}
        fork = await storage.fork_cluster(source, revision, ClusterRecord("two", uid="u"))
        assert (fork.revision, fork.oldest) == (revision, revision)
        assert {entry.key: entry.raw for entry in fork.list("configmaps")} == wanted
        assert fork.list("configmaps")[0].labels == {"n": "0"}
        assert fork.list("configmaps")[0].fields == {"kind": "k"}
        assert {entry.key: entry.raw for entry in await fork.snapshot(revision)} == wanted
        made = await fork.commit(create("new"))
        assert made.revision == revision + 1
        assert source.get(key("new")) is None
        await storage.close_cluster("two")
        assert (await storage.open_cluster("two")).revision == revision + 1
        for name in ("one", "two"):
            with pytest.raises(ClusterExists):
                await storage.fork_cluster(source, revision, ClusterRecord(name, uid="v"))
        await source.compact(revision)
        with pytest.raises(Compacted):
            await storage.fork_cluster(source, revision - 1, ClusterRecord("three", uid="w"))
        assert await count(alias, "cluster") == 2, "what failed left nothing"

    async def test_a_log_that_is_imported_is_the_clusters_own(self, storage: Storage, alias: str):
        def change(revision: int, name: str, type_: EventType, **data: str) -> Imported:
            write = create(name, {"l": name}, **data)
            assert write.obj is not None
            write.obj["metadata"]["uid"] = write.uid
            index = (write.labels, {"f": name})
            return imported(write.key, type_, revision, write.obj, index, (5.0, "me", "t"))

        async def batches(*, fails: bool = False) -> AsyncIterator[list[Imported]]:
            yield [change(3, "a", "ADDED", n="1"), change(5, "b", "ADDED")]
            if fails:
                raise ValueError("line 7")
            yield [change(6, "a", "MODIFIED", n="2"), change(8, "b", "DELETED")]
            yield [change(9, "c", "ADDED"), change(10, "c", "DELETED"), change(11, "c", "ADDED")]

        def record(name: str) -> ClusterRecord:
            return ClusterRecord(name, uid=f"u-{name}", revision=12, compacted=3)

        late = record("one")
        late.uid = "late"
        too_late = await storage.import_log(late, batches())
        number = await storage.import_log(record("one"), batches())
        assert await storage.clusters() == [], "nobody sees it yet"
        store = await storage.reveal_cluster(number, "one")
        assert (store.revision, store.oldest) == (12, 3)
        assert sorted(entry.key.name for entry in store.list("configmaps")) == ["a", "c"]
        assert data_of(store.get(key("a"))) == {"n": "2"}
        there = {entry.key.name: entry for entry in await store.snapshot(5)}
        assert sorted(there) == ["a", "b"]
        assert data_of(there["a"]) == {"n": "1"}
        assert (there["b"].labels, there["b"].fields) == ({"l": "b"}, {"f": "b"})
        records = await store.records(key=key("b"))
        assert [(r.type, r.at, r.actor, r.trace) for r in records] == [
            ("DELETED", 5.0, "me", "t"),
            ("ADDED", 5.0, "me", "t"),
        ]
        assert (await store.commit(create("new"))).revision == 13
        with pytest.raises(ValueError, match="line 7"):
            await storage.import_log(record("two"), batches(fails=True))
        with pytest.raises(ClusterExists):
            await storage.import_log(record("one"), batches())
        with pytest.raises(ClusterExists):
            await storage.reveal_cluster(too_late, "one")
        assert await count(alias, "cluster") == 1, "what failed left nothing"

    async def test_a_cluster_that_cannot_be_made_leaves_nothing(self, storage: Storage):
        with pytest.raises(Exists):
            await storage.create_cluster(ClusterRecord("bad"), [create("a"), create("a")])
        assert await storage.clusters() == []

    async def test_a_clusters_keys_and_settings_can_be_changed(self, storage: Storage):
        store = await storage.create_cluster(ClusterRecord("keys"), [create("a")])
        store.record.ca_cert, store.record.settings = "PEM", {"paused": True}
        await storage.update_cluster(store.record)
        found = await storage.cluster("keys")
        assert (found.ca_cert, found.settings, found.revision) == ("PEM", {"paused": True}, 1)

    async def test_clusters_do_not_see_each_other(self, storage: Storage):
        one = await storage.create_cluster(ClusterRecord("one"))
        two = await storage.create_cluster(ClusterRecord("two"))
        seen: list[Event] = []
        two.hub.subscribe("configmaps", after=0, sink=seen.extend, closed=print)
        await asyncio.gather(*[one.commit(create(f"o{n}")) for n in range(10)])
        await two.commit(create("o0", mine=True))
        assert (one.revision, two.revision) == (10, 1)
        assert [told(event) for event in seen] == [("ADDED", "o0", 1)]
        assert data_of(two.get(key("o0"))) == {"mine": True}
        assert len(await two.list_at("configmaps", None, 1)) == 1
        await storage.delete_cluster("one")
        assert len(await two.changes(None, 0)) == 1

    async def test_what_was_written_is_there_when_opened_again(self, storage: Storage):
        store = await storage.create_cluster(
            ClusterRecord("c"), [create("a", {"l": "1"}, kind="k")]
        )
        await store.commit_many([create("b", n=1), delete("a"), create(key("é", "ü"), text="☃")])
        before = {entry.key: entry for entry in store.list("configmaps")}
        await storage.close_cluster("c")
        with pytest.raises(Closed):
            await store.commit(create("late"))
        store = await storage.open_cluster("c")
        assert store is await storage.open_cluster("c")
        after = {entry.key: entry for entry in store.list("configmaps")}
        assert after.keys() == before.keys()
        for at, entry in before.items():
            for attribute in ("raw", "uid", "revision", "labels", "fields"):
                assert getattr(after[at], attribute) == getattr(entry, attribute)
        assert (await store.commit(create("c"))).revision == store.revision == 5

    async def test_a_deleted_cluster_is_gone_and_its_name_is_free(
        self, storage: Storage, alias: str
    ):
        ended: list[str] = []
        store = await storage.create_cluster(ClusterRecord("c"), [create("a")])
        store.hub.subscribe("configmaps", after=1, sink=print, closed=ended.append)
        await storage.delete_cluster("c")
        assert ended == ["deleted"]
        assert [await count(alias, table) for table in TABLES] == [0, 0, 0]
        for call in (storage.open_cluster("c"), storage.delete_cluster("c")):
            with pytest.raises(NoCluster):
                await call
        again = await storage.create_cluster(ClusterRecord("c"))
        assert again.revision == 0

    async def test_a_deletion_that_was_cut_short_is_finished(self, storage: Storage, alias: str):
        await storage.create_cluster(ClusterRecord("c"), [create("a")])
        await storage.close_cluster("c")
        await execute(alias, 'UPDATE "cluster" SET deleting = %s', True)
        assert await storage.clusters() == []
        await storage.purge()
        assert [await count(alias, table) for table in TABLES] == [0, 0, 0]
