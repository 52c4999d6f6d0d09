"""The log of all changes can be read, and what it does not need any more is forgotten."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from apimachinery.clock import ManualClock
from apiserver.storage import (
    ClusterRecord,
    ClusterStore,
    Compacted,
    Entry,
    Event,
    Storage,
    Write,
    past,
)
from tests.contracts.storage_base import StorageCase, count
from tests.support.writes import create, data_of, delete, key, told, update


def _random_write(random: Random, n: int) -> Write:
    """Return a write of one of four objects, which may well be refused."""
    name, kind = random.choice("abcd"), random.randrange(3)
    if kind == 0:
        return create(name, n=n)
    return update(name, n=random.random()) if kind == 1 else delete(name)


class PastContract(StorageCase):
    """What was, and what has changed since."""

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
        assert await count(alias, "change") == 4, "a's and idle's last before 14, and what followed"
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
