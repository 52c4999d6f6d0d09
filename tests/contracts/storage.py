"""What every database must give the storage: run for SQLite and for PostgreSQL alike."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from apimachinery.clock import ManualClock
from apiserver.storage import (
    Changed,
    Closed,
    ClusterExists,
    ClusterRecord,
    ClusterStore,
    Compacted,
    Dropped,
    Entry,
    Event,
    EventType,
    Exists,
    Fenced,
    Imported,
    Missing,
    NoCluster,
    Storage,
    Unavailable,
    Write,
    imported,
    past,
)
from apiserver.storage.connection import POSTGRESQL, Connection
from apiserver.watch.hub import WatchHub
from tests.support.writes import create, data_of, delete, key, told, update

TABLES = ("cluster", "object", "change")


def _random_write(random: Random, n: int) -> Write:
    """Return a write of one of four objects, which may well be refused."""
    name, kind = random.choice("abcd"), random.randrange(3)
    if kind == 0:
        return create(name, n=n)
    return update(name, n=random.random()) if kind == 1 else delete(name)


class StorageContract:
    """Subclasses name the database by overriding `alias`, and its environment by `environment`."""

    @pytest.fixture
    def alias(self) -> str:
        raise AssertionError("name a database")

    @pytest.fixture
    def environment(self) -> dict[str, str]:
        raise AssertionError("say how another process finds the database")

    @pytest.fixture
    async def storage(self, alias: str, clock: ManualClock) -> AsyncIterator[Storage]:
        opened = Storage(clock=clock, hub=WatchHub, alias=alias)
        yield opened
        await opened.close()

    @pytest.fixture
    async def store(self, storage: Storage) -> ClusterStore:
        return await storage.create_cluster(ClusterRecord("one"))

    # One object.

    async def test_a_created_object_has_its_revision_inside(self, store: ClusterStore):
        entry = await store.commit(create("a", {"app": "x"}, kind="k"))
        assert (entry.revision, store.revision) == (1, 1)
        assert entry.obj()["metadata"]["resourceVersion"] == "1"
        assert (entry.labels, entry.fields, entry.uid) == ({"app": "x"}, {"kind": "k"}, "uid-a")
        assert store.get(key("a")) is entry

    async def test_a_taken_key_is_refused_with_what_has_it(self, store: ClusterStore):
        entry = await store.commit(create("a"))
        with pytest.raises(Exists) as refusal:
            await store.commit(create("a", other="data"))
        assert refusal.value.current is entry
        assert store.revision == 1

    @pytest.mark.parametrize("write", [update("none"), delete("none"), delete("none", expected=7)])
    async def test_what_is_not_there_cannot_be_changed(self, store: ClusterStore, write: Any):
        with pytest.raises(Missing):
            await store.commit(write)

    async def test_an_update_at_another_revision_is_refused(self, store: ClusterStore):
        first = await store.commit(create("a"))
        second = await store.commit(update("a", expected=first.revision, n=1))
        with pytest.raises(Changed) as refusal:
            await store.commit(update("a", expected=first.revision, n=2))
        assert refusal.value.current is second
        with pytest.raises(Changed):
            await store.commit(delete("a", expected=first.revision))
        assert data_of(store.get(key("a"))) == {"n": 1}

    async def test_a_group_is_written_whole_or_not_at_all(self, store: ClusterStore):
        await store.commit(create("taken"))
        refused = await store.commit_together([create("new"), create("taken")])
        assert [type(one) for one in refused] == [Dropped, Exists]
        assert (store.revision, store.get(key("new"))) == (1, None)
        made = await store.commit_together([create("new"), delete("taken")])
        assert [one.revision for one in made if isinstance(one, Entry)] == [2, 3]
        assert store.get(key("taken")) is None

    async def test_an_update_that_changes_nothing_is_dropped(self, store: ClusterStore):
        first = await store.commit(create("a", {"l": "1"}, x=1, y=2))
        again = await store.commit(update("a", {"l": "1"}, expected=1, y=2, x=1))
        assert again is first
        assert store.revision == 1
        assert len(await store.changes(None, 0)) == 1

    async def test_a_deletion_keeps_the_last_state_at_its_own_revision(self, store: ClusterStore):
        await store.commit(create("a", n=1))
        gone = await store.commit(delete("a", expected=1))
        assert (gone.revision, data_of(gone)) == (2, {"n": 1})
        assert gone.obj()["metadata"]["resourceVersion"] == "2"
        assert store.get(key("a")) is None
        again = await store.commit(create("a", n=2))
        assert again.revision == 3

    async def test_a_deletion_may_bring_the_last_state(self, store: ClusterStore):
        await store.commit(create("a", n=1))
        last = update("a", expected=1, n=2)
        last.type = "DELETED"
        gone = await store.commit(last)
        assert data_of(gone) == {"n": 2}
        assert store.list("configmaps") == ()

    # Many objects.

    async def test_revisions_have_no_gaps_under_concurrency(self, store: ClusterStore):
        seen: list[Event] = []
        store.hub.subscribe("configmaps", after=0, sink=seen.extend, closed=print)

        async def work(task: int) -> list[Entry]:
            name = f"t{task}"
            mine = [await store.commit(create(name))]
            mine.append(await store.commit(update(name, expected=mine[0].revision, n=task)))
            assert seen[-1].revision >= mine[-1].revision, "woke before its event"
            return mine

        done = await asyncio.gather(*[work(task) for task in range(64)])
        revisions = sorted(entry.revision for mine in done for entry in mine)
        assert revisions == list(range(1, 129))
        assert [event.revision for event in seen] == revisions
        assert [change.revision for change in await store.changes(None, 0)] == revisions

    async def test_of_those_who_race_for_a_revision_one_wins(self, store: ClusterStore):
        await store.commit(create("a"))
        racers = [update("a", expected=1, n=n) for n in range(32)]
        results = await store.commit_many(racers)
        assert sum(isinstance(result, Entry) for result in results) == 1
        assert sum(isinstance(result, Changed) for result in results) == 31
        assert store.revision == 2

    async def test_writes_to_one_key_in_one_batch_build_on_each_other(self, store: ClusterStore):
        writes = [create("a"), update("a", expected=1, n=1), delete("a", expected=2), create("a")]
        results = await store.commit_many([*writes, create("b"), delete("b")])
        assert [getattr(result, "revision", result) for result in results] == [1, 2, 3, 4, 5, 6]
        assert [told(change) for change in await store.changes(None, 0)] == [
            ("ADDED", "a", 1),
            ("MODIFIED", "a", 2),
            ("DELETED", "a", 3),
            ("ADDED", "a", 4),
            ("ADDED", "b", 5),
            ("DELETED", "b", 6),
        ]
        assert [entry.key.name for entry in store.list("configmaps")] == ["a"]

    async def test_lists_are_ordered_snapshots(self, store: ClusterStore):
        places = [("b", "z"), ("a", "z"), ("a", "b"), ("b", "a"), ("a-a", "x"), ("é", "x")]
        await store.commit_many([create(key(name, space)) for space, name in places])
        await store.commit(create(key("other", resource="secrets")))
        before = store.list("configmaps")
        assert [entry.key[1:] for entry in before] == sorted(places, key="/".join)
        assert [entry.key.name for entry in store.list("configmaps", "a")] == ["b", "z"]
        assert store.list("configmaps", "a") is store.list("configmaps", "a")
        await store.commit(delete(key("b", "a")))
        await store.commit(update(key("z", "a"), n=1))
        assert [entry.key[1:] for entry in before] == sorted(places, key="/".join), (
            "a snapshot changed"
        )
        assert [data_of(entry) for entry in store.list("configmaps", "a")] == [{"n": 1}]
        assert store.list("configmaps", "none") == ()
        assert store.list("none") == ()

    # The past.

    async def test_the_past_is_what_it_was(self, store: ClusterStore):
        await store.commit_many(
            [create("a"), create("b", n=1), update("b", n=2), delete("a"), create(key("c", "x"))]
        )

        async def names(revision: int, namespace: str | None = None) -> dict[str, Any]:
            found = await store.list_at("configmaps", namespace, revision)
            return {entry.key.name: data_of(entry) for entry in found}

        assert await names(0) == {}
        assert await names(2) == {"a": {}, "b": {"n": 1}}
        assert await names(3) == {"a": {}, "b": {"n": 2}}
        assert await names(4) == {"b": {"n": 2}}
        assert await names(5) == {"b": {"n": 2}, "c": {}}
        assert await names(4, "x") == {}

    async def test_everything_of_the_past_at_once(self, store: ClusterStore):
        await store.commit_many([create("a"), create(key("s", resource="secrets")), delete("a")])
        assert {e.key.name for e in await store.snapshot(2)} == {"a", "s"}
        assert {e.key.name for e in await store.snapshot(3)} == {"s"}
        await store.compact(3)
        with pytest.raises(Compacted):
            await store.snapshot(2)

    async def test_one_object_of_the_past(self, store: ClusterStore):
        await store.commit_many([create("a", n=1), update("a", n=2), delete("a"), create("a", n=3)])

        async def then(revision: int) -> dict[str, Any] | None:
            entry = await store.get_at(key("a"), revision)
            return None if entry is None else data_of(entry)

        assert [await then(n) for n in range(5)] == [None, {"n": 1}, {"n": 2}, None, {"n": 3}]
        await store.compact(4)
        with pytest.raises(Compacted):
            await then(3)

    async def test_the_past_is_the_fold_of_its_changes(self, store: ClusterStore):
        """Of random writes, before and after the log was trimmed."""
        random = Random(4)
        for _ in range(30):
            await store.commit_many(_random_write(random, n) for n in range(8))
        folded: dict[Any, Entry] = {}
        states = {0: dict(folded)}
        for event in await store.changes(None, 0):
            assert (folded.get(event.entry.key) is None) == (event.type == "ADDED")
            folded[event.entry.key] = event.entry
            if event.type == "DELETED":
                del folded[event.entry.key]
            states[event.revision] = dict(folded)
        assert len(states) == store.revision + 1
        for floor in (0, store.revision // 2):
            await store.compact(floor)
            for revision in range(floor, store.revision + 1):
                wanted = {at: entry.raw for at, entry in states[revision].items()}
                found = {entry.key: entry.raw for entry in await store.snapshot(revision)}
                assert found == wanted, revision
                for name in "abcd":
                    entry = await store.get_at(key(name), revision)
                    assert (entry.raw if entry else None) == wanted.get(key(name))

    async def test_where_the_log_was_busy(self, store: ClusterStore, clock: ManualClock):
        begun = clock.seconds()
        secret = key("s", resource="secrets")
        await store.commit_many([create("a"), create("b"), create(secret)])
        clock.advance(60)
        await store.commit_many([update("a", n=1), delete("b")])
        parts = await store.ask(0, lambda cursor, one: past.density(cursor, one, 0, 5, 2))
        assert sorted(parts) == [
            ("configmaps", "", 0, 2),
            ("configmaps", "", 1, 1),
            ("configmaps", "", 2, 1),
            ("secrets", "", 1, 1),
        ]
        parts = await store.ask(
            0, lambda cursor, one: past.density(cursor, one, 0, 5, 5, by_namespace=True)
        )
        assert sorted(parts) == [("configmaps", "default", 0, 4), ("secrets", "default", 0, 1)]
        moments = await store.ask(0, lambda cursor, one: past.moments(cursor, one, [0, 3, 4, 9]))
        assert [(n, at - begun) for n, at in moments] == [(3, 0), (4, 60), (9, 60)]
        found = await store.ask(
            0, lambda cursor, one: past.revisions_of(cursor, one, key("a"), 0, 9, 9)
        )
        assert found == [1, 4]
        headers = await store.ask(0, lambda cursor, one: past.headers(cursor, one, 3, 5, 9))
        assert [(h.revision, h.type, h.key.name, h.at - begun) for h in headers] == [
            (4, "MODIFIED", "a", 60),
            (5, "DELETED", "b", 60),
        ]

    async def test_the_log_is_read_in_pieces_of_bounded_size(self, store: ClusterStore):
        await store.commit_many([create("a", pad="x" * 1000), create("b"), delete("a")])

        async def read(after: int, limit: int, size: int) -> list[tuple[int, str, bytes]]:
            found = await store.ask(
                0, lambda cursor, one: past.whole(cursor, one, after, 9, limit, size)
            )
            return [(header.revision, header.type, body) for header, body in found]

        whole = await read(0, 9, 10**6)
        assert [(n, kind) for n, kind, _body in whole] == [
            (1, "ADDED"),
            (2, "ADDED"),
            (3, "DELETED"),
        ]
        assert await read(0, 9, 100) == whole[:1]
        assert await read(1, 1, 10**6) == whole[1:2]

    async def test_warnings_are_found_among_events(self, store: ClusterStore):
        writes = []
        for n, word in enumerate(("Normal", "Warning", "Warning")):
            write = create(key(f"e{n}", resource="events"))
            about = {"involvedObject.kind": "Pod", "involvedObject.name": "web"}
            write.fields = {"type": word, "reason": "Late", **about}
            writes.append(write)
        await store.commit_many([create("a"), *writes, delete(key("e1", resource="events"))])
        found = await store.ask(0, lambda cursor, one: past.warnings(cursor, one, 0, 9, 9))
        assert [(one.revision, one.key.name) for one in found] == [(4, "e2"), (3, "e1")]
        assert (found[0].reason, found[0].kind, found[0].about) == ("Late", "Pod", "web")

    async def test_what_differs_between_two_revisions(self, store: ClusterStore):
        await store.commit_many([create("same"), create("changed"), create("gone"), create("anew")])
        then = store.revision
        again = create("anew")
        again.uid = "another"
        await store.commit_many([update("changed", n=1), delete("gone"), delete("anew"), again])
        await store.commit_many([create("new"), create("brief"), delete("brief")])

        def ask(limit: int) -> Any:
            return store.ask(
                then,
                lambda cursor, one: past.differing(cursor, one, then, store.revision, "", limit),
            )

        found, touched = await ask(9)
        assert [(d.key.name, d.before, d.after, d.revision - then) for d in found] == [
            ("anew", "uid-anew", "another", 4),
            ("changed", "uid-changed", "uid-changed", 1),
            ("gone", "uid-gone", None, 2),
            ("new", None, "uid-new", 5),
        ]
        assert touched == 5
        assert [d.key.name for d in (await ask(2))[0]] == ["anew", "changed"]

    async def test_the_log_says_who_changed_what_and_when(
        self, store: ClusterStore, clock: ManualClock
    ):
        begun = clock.seconds()
        for n, write in enumerate([create("a"), create("b"), update("a", n=1), delete("a")]):
            write.actor, write.trace = f"user{n}", f"audit{n}"
            await store.commit(write)
            clock.advance(10)
        found = await store.records(key=key("a"))
        assert [(r.type, r.entry.revision, r.at - begun, r.actor, r.trace) for r in found] == [
            ("DELETED", 4, 30, "user3", "audit3"),
            ("MODIFIED", 3, 20, "user2", "audit2"),
            ("ADDED", 1, 0, "user0", "audit0"),
        ]
        assert [r.entry.revision for r in await store.records(before=4, limit=2)] == [3, 2]
        assert data_of(found[1].entry) == {"n": 1}

    async def test_changes_tell_both_sides(self, store: ClusterStore):
        await store.commit_many([create("a", {"v": "1"}, kind="k"), create("s", n=0)])
        await store.commit_many([update("a", {"v": "2"}, kind="l"), delete("a"), update("s", n=1)])
        modified, deleted, other = await store.changes("configmaps", 2)
        assert modified.previous is not None
        assert deleted.previous is not None
        assert other.previous is not None
        assert (modified.previous.labels, modified.previous.fields) == ({"v": "1"}, {"kind": "k"})
        assert (modified.entry.labels, modified.entry.fields) == ({"v": "2"}, {"kind": "l"})
        assert (deleted.previous.revision, deleted.entry.revision) == (3, 4)
        assert other.previous.revision == 2
        assert [told(change) for change in await store.changes(None, 1, upto=3)] == [
            ("ADDED", "s", 2),
            ("MODIFIED", "a", 3),
        ]
        assert await store.changes("secrets", 0) == []
        assert [told(change) for change in await store.changes(None, 1, limit=2)] == [
            told(change) for change in await store.changes(None, 1, upto=3)
        ]

    async def test_compaction_forgets_what_no_kept_revision_needs(
        self, store: ClusterStore, alias: str
    ):
        await store.commit_many([create("a"), create("b"), create("idle", n=1)])
        await store.commit_many([update("a", n=n) for n in range(10)] + [delete("b")])
        await store.commit_many([update("idle", n=2), create("c")])
        await store.compact(14)
        assert store.oldest == 14
        assert await _count(alias, "change") == 4, (
            "a's and idle's last before 14, and what followed"
        )
        for call in (store.list_at("configmaps", None, 13), store.changes(None, 13)):
            with pytest.raises(Compacted, match=r"too old resource version: 13 \(14\)"):
                await call
        assert [e.key.name for e in await store.list_at("configmaps", None, 14)] == ["a", "idle"]
        idle, _added = await store.changes(None, 14)
        assert data_of(idle.previous) == {"n": 1}

    async def test_compaction_holds_after_opening_again(self, storage: Storage):
        store = await storage.create_cluster(ClusterRecord("two"), [create("a"), create("b")])
        await store.commit(update("a", n=1))
        assert store.compacted_at is None
        await store.compact(2)
        when = store.compacted_at
        await storage.close_cluster("two")
        store = await storage.open_cluster("two")
        assert (store.revision, store.oldest) == (3, 2)
        assert when == store.compacted_at == pytest.approx(store.clock.seconds(), abs=60)
        with pytest.raises(Compacted):
            await store.changes(None, 1)
        assert [told(change) for change in await store.changes(None, 2)] == [("MODIFIED", "a", 3)]

    async def test_a_watch_from_the_log_joins_what_happens_meanwhile(self, store: ClusterStore):
        """The hand-over, again and again, while 8 writers write."""
        await store.commit_many([create(f"o{n}") for n in range(8)])
        await store.commit_many([update(f"o{n % 8}", n=n) for n in range(600)])
        floor = store.hub._window.floor  # type: ignore[attr-defined]
        replay_from = 300
        writing = True

        async def write(name: str) -> None:
            n = 0
            while writing:
                n += 1
                await store.commit(update(name, turn=n))

        async def watch() -> list[int]:
            got: list[Event] = []
            subscription = await store.hub.replay(
                "configmaps", after=replay_from, sink=got.extend, closed=lambda _reason: None
            )
            upto = got[-1].revision + 50
            while got[-1].revision < upto:
                await store.commit(update("o0", watched=got[-1].revision))
            subscription.cancel()
            return [event.revision for event in got]

        async with asyncio.TaskGroup() as tasks:
            for n in range(8):
                tasks.create_task(write(f"o{n}"))
            for _ in range(6):
                revisions = await watch()
                assert revisions == list(range(replay_from + 1, revisions[-1] + 1))
            writing = False
        assert floor <= store.revision

    # Clusters.

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
        assert await _count(alias, "cluster") == 2, "what failed left nothing"

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
        assert await _count(alias, "cluster") == 1, "what failed left nothing"

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
        assert [await _count(alias, table) for table in TABLES] == [0, 0, 0]
        for call in (storage.open_cluster("c"), storage.delete_cluster("c")):
            with pytest.raises(NoCluster):
                await call
        again = await storage.create_cluster(ClusterRecord("c"))
        assert again.revision == 0

    async def test_a_deletion_that_was_cut_short_is_finished(self, storage: Storage, alias: str):
        await storage.create_cluster(ClusterRecord("c"), [create("a")])
        await storage.close_cluster("c")
        await _execute(alias, 'UPDATE "cluster" SET deleting = %s', True)
        assert await storage.clusters() == []
        await storage.purge()
        assert [await _count(alias, table) for table in TABLES] == [0, 0, 0]

    # Faults.

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


async def _execute(alias: str, statement: str, *parameters: Any) -> list[Any]:
    """Run a statement beside the storage, on a connection and a thread of its own."""

    def run() -> list[Any]:
        connection = Connection(alias)
        try:
            cursor = connection.cursor()
            cursor.execute(statement, parameters)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    return await asyncio.to_thread(run)


async def _count(alias: str, table: str) -> int:
    ((count,),) = await _execute(alias, f'SELECT COUNT(*) FROM "{table}"')
    return int(count)


@asynccontextmanager
async def _renamed(alias: str, table: str) -> AsyncIterator[None]:
    """Take a table away for a while: each transaction that needs it fails."""
    await _execute(alias, f'ALTER TABLE "{table}" RENAME TO away')
    yield
    await _execute(alias, f'ALTER TABLE away RENAME TO "{table}"')


async def _refuse_actor(alias: str, actor: str) -> None:
    if Connection(alias).dialect is POSTGRESQL:
        await _execute(alias, f"ALTER TABLE \"change\" ADD CHECK (actor <> '{actor}')")
        return
    await _execute(
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
