"""Objects are written at revisions without gaps, and read as they are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from apiserver.storage import (
    Changed,
    ClusterStore,
    Dropped,
    Entry,
    Event,
    Exists,
    Missing,
)
from tests.contracts.storage_base import StorageCase
from tests.support.writes import create, data_of, delete, key, told, update


class ObjectsContract(StorageCase):
    """One object, and many."""

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
