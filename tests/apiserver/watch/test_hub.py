"""Who gets which event, as what, and from where."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from apiserver.storage import ClusterStore, Compacted, Entry, Event, Hub, Write
from apiserver.storage.staging import Head, Prepared, Staged
from apiserver.watch import hub as hub_module
from apiserver.watch.hub import NotInMemoryError, WatchHub
from apiserver.watch.window import Window
from tests.support.writes import create, delete, key, told, update


@dataclass
class FakeLog:
    """A log in memory, which can be told to wait before it answers."""

    head: Head = field(default_factory=lambda: Head(1, 0, {}, print))
    events: list[Event] = field(default_factory=list)
    oldest: int = 0
    size: int = 0
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def revision(self) -> int:
        return self.head.revision

    def write(self, *writes: Write) -> list[Event]:
        staged = Staged(self.head)
        for made in writes:
            assert isinstance(staged.add(Prepared(made, 0.0)), Entry)
        staged.commit()
        self.events += staged.events
        return staged.events

    async def changes(
        self, resource: str | None, after: int, upto: int | None = None, limit: int = sys.maxsize
    ) -> Sequence[Event]:
        await self.answering.wait()
        if after < self.oldest:
            raise Compacted(after, self.oldest)
        last = self.revision if upto is None else upto
        mine = [event for event in self.events if event.entry.key.resource == resource]
        return [event for event in mine if after < event.revision <= last][:limit]


class Watcher:
    """A subscriber that keeps what it is told."""

    def __init__(self) -> None:
        self.batches: list[Sequence[Event]] = []
        self.reasons: list[str] = []

    def sink(self, events: Sequence[Event]) -> None:
        self.batches.append(events)

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]

    @property
    def told(self) -> list[tuple[str, str, int]]:
        return [told(event) for event in self.events]


@pytest.fixture
async def log():
    made = FakeLog()
    made.answering.set()
    return made


@pytest.fixture
async def hub(log: FakeLog):
    made = WatchHub(log)
    yield made
    made.close("over")


def watch(hub: Hub, after: int = 0, resource: str = "configmaps", **how: Any) -> Watcher:
    watcher = Watcher()
    hub.subscribe(resource, after=after, sink=watcher.sink, closed=watcher.reasons.append, **how)
    return watcher


async def test_a_batch_arrives_as_one_in_order(hub: WatchHub, log: FakeLog):
    watcher = watch(hub)
    hub.publish(log.write(create("a"), update("a", n=1), delete("a")))
    (batch,) = watcher.batches
    assert [told(event) for event in batch] == [
        ("ADDED", "a", 1),
        ("MODIFIED", "a", 2),
        ("DELETED", "a", 3),
    ]


async def test_only_the_resource_and_the_namespace(hub: WatchHub, log: FakeLog):
    everywhere, inside = watch(hub), watch(hub, namespace="x")
    other = watch(hub, resource="secrets")
    hub.publish(log.write(create("a"), create(key("b", "x")), create(key("c", "x", "secrets"))))
    assert [name for _, name, _ in everywhere.told] == ["a", "b"]
    assert [name for _, name, _ in inside.told] == ["b"]
    assert [name for _, name, _ in other.told] == ["c"]


def running(entry: Entry) -> bool:
    return entry.labels.get("state") == "running"


@pytest.mark.parametrize(
    "how",
    [
        {"selector": running},
        {"exact": ("kind", "running")},
        {"exact": ("kind", "running"), "selector": running},
        {"exact": ("metadata.name", "a"), "selector": running},
        {"exact": ("metadata.namespace", "default"), "selector": running, "namespace": "default"},
    ],
)
async def test_entering_is_added_and_leaving_is_deleted(
    hub: WatchHub, log: FakeLog, how: dict[str, Any]
):
    watcher = watch(hub, **how)
    states = ["idle", "running", "running", "idle", "idle", "running"]
    writes = [
        (update if n else create)("a", {"state": state}, kind=state, n=n)
        for n, state in enumerate(states)
    ]
    for write in [*writes, delete("a"), create("a", {"state": "running"}, kind="running")]:
        hub.publish(log.write(write))
    assert watcher.told == [
        ("ADDED", "a", 2),
        ("MODIFIED", "a", 3),
        ("DELETED", "a", 4),
        ("ADDED", "a", 6),
        ("DELETED", "a", 7),
        ("ADDED", "a", 8),
    ]
    left = watcher.events[2].obj
    assert (left["data"]["n"], left["metadata"]["resourceVersion"]) == (2, "4"), "the new state"


async def test_a_deletion_of_what_was_not_selected_is_not_told(hub: WatchHub, log: FakeLog):
    watcher = watch(hub, selector=running)
    hub.publish(log.write(create("a"), delete("a")))
    assert watcher.told == []


async def test_an_exact_field_touches_those_who_ask_for_its_values(hub: WatchHub, log: FakeLog):
    nodes = {f"n{n}": watch(hub, exact=("kind", f"n{n}")) for n in range(100)}
    asked: list[str] = []

    def ask(entry: Entry) -> bool:
        asked.append(entry.key.name)
        return True

    for n in range(100):
        watch(hub, exact=("metadata.name", f"p{n}"), selector=ask)
    hub.publish(log.write(create("p7", kind="n1"), update("p7", kind="n2")))
    assert nodes["n1"].told == [("ADDED", "p7", 1), ("DELETED", "p7", 2)]
    assert nodes["n2"].told == [("ADDED", "p7", 2)]
    assert sum(len(node.events) for node in nodes.values()) == 3
    assert set(asked) == {"p7"}
    assert len(asked) == 3, "both events, and the state before the second, for one watcher"


async def test_what_was_missed_is_replayed_from_memory(hub: WatchHub, log: FakeLog):
    hub.publish(log.write(create("a"), create(key("s", resource="secrets")), create("b")))
    hub.publish(log.write(update("a", n=1), create(key("c", "x"))))
    assert [revision for *_, revision in watch(hub, after=1).told] == [3, 4, 5]
    assert [revision for *_, revision in watch(hub, after=1, namespace="x").told] == [5]
    assert watch(hub, after=5).told == []


async def test_a_revision_to_come_is_waited_for(hub: WatchHub, log: FakeLog):
    watcher = watch(hub, after=2)
    hub.publish(log.write(create("a"), create("b"), create("c")))
    assert watcher.told == [("ADDED", "c", 3)]


async def test_what_is_not_in_memory_is_asked_of_the_log(log: FakeLog):
    log.write(create("a"), create(key("b", "x")))
    hub = WatchHub(log)
    with pytest.raises(NotInMemoryError):
        watch(hub, after=0)
    log.answering.clear()
    watcher = Watcher()
    replaying = asyncio.ensure_future(
        hub.replay("configmaps", after=0, sink=watcher.sink, closed=watcher.reasons.append)
    )
    await asyncio.sleep(0)
    hub.publish(log.write(create("c"), update("a", n=1)))
    assert watcher.batches == [], "the log comes first"
    log.answering.set()
    subscription = await replaying
    hub.publish(log.write(delete("a")))
    assert [revision for *_, revision in watcher.told] == [1, 2, 3, 4, 5]
    subscription.cancel()
    hub.publish(log.write(delete("c")))
    assert len(watcher.events) == 5
    hub.close("over")


async def test_the_log_is_read_page_by_page(log: FakeLog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub_module, "LOG_PAGE", 2)
    log.write(*(create(f"o{n}") for n in range(5)))
    hub = WatchHub(log)
    watcher = Watcher()
    await hub.replay("configmaps", after=0, sink=watcher.sink, closed=watcher.reasons.append)
    assert [len(batch) for batch in watcher.batches] == [2, 2, 1]
    assert [revision for *_, revision in watcher.told] == [1, 2, 3, 4, 5]
    hub.close("over")


async def test_the_window_is_bounded_by_bytes(hub: WatchHub, log: FakeLog):
    hub.publish(log.write(create("big", text="x" * 100_000)))
    for n in range(10):
        hub.publish(log.write(update("big", text="x" * 100_000, n=n)))
    with pytest.raises(NotInMemoryError):
        watch(hub, after=5)
    assert [revision for *_, revision in watch(hub, after=10).told] == [11]


async def test_a_large_cluster_has_a_larger_window(hub: WatchHub, log: FakeLog):
    log.size = 16 * 1024 * 1024
    hub.publish(log.write(create("big", text="x" * 100_000)))
    for n in range(3):
        hub.publish(log.write(update("big", text="x" * 100_000, n=n)))
    assert [revision for *_, revision in watch(hub, after=1).told] == [2, 3, 4]


@pytest.mark.parametrize(
    ("missed", "how"),
    [
        ([], {"resource": "secrets"}),
        ([], {"exact": ("kind", "idle")}),
        (["c"], {"exact": ("kind", "other")}),
    ],
)
async def test_who_has_missed_nothing_needs_no_log(
    hub: WatchHub, log: FakeLog, missed: list[str], how: dict[str, Any]
):
    watch(hub, exact=("kind", "any"))
    hub.publish(log.write(create("a", kind="running"), create("c", kind="other")))
    hub._window = Window(log.revision)
    if missed:
        with pytest.raises(NotInMemoryError):
            watch(hub, after=1, **how)
    else:
        assert watch(hub, after=1, **how).told == []
    hub.publish(log.write(create(key("d", "x", how.get("resource", "configmaps")), kind="idle")))
    late = watch(hub, after=2, **how)
    assert [name for _, name, _ in late.told] == ([] if missed else ["d"])


async def test_a_compacted_revision_is_refused_even_if_it_is_in_memory(hub: WatchHub, log: FakeLog):
    hub.publish(log.write(create("a"), create("b"), create("c")))
    log.oldest = 2
    with pytest.raises(Compacted, match=r"too old resource version: 1 \(2\)"):
        watch(hub, after=1)
    with pytest.raises(Compacted):
        await hub.replay("configmaps", after=1, sink=print, closed=print)


async def test_a_replay_that_fails_leaves_no_subscription(log: FakeLog):
    log.write(create("a"))
    hub = WatchHub(log)
    log.answering.clear()
    watcher = Watcher()
    replaying = asyncio.ensure_future(
        hub.replay("configmaps", after=0, sink=watcher.sink, closed=watcher.reasons.append)
    )
    await asyncio.sleep(0)
    log.oldest = 1
    log.answering.set()
    with pytest.raises(Compacted):
        await replaying
    hub.publish(log.write(create("b")))
    assert watcher.batches == []
    hub.close("over")
    assert watcher.reasons == []


async def test_a_sink_that_fails_is_cut_off_alone(hub: WatchHub, log: FakeLog, caplog):
    reasons: list[str] = []

    def broken(events: Sequence[Event]) -> None:
        raise RuntimeError("no")

    hub.subscribe("configmaps", after=0, sink=broken, closed=reasons.append)
    watcher = watch(hub)
    hub.publish(log.write(create("a")))
    hub.publish(log.write(create("b")))
    assert reasons == ["the subscriber failed"]
    assert len(watcher.batches) == 2
    assert len(caplog.records) == 1


async def test_a_sink_may_subscribe_and_cancel(hub: WatchHub, log: FakeLog):
    late, other = Watcher(), Watcher()
    cancelled = hub.subscribe("configmaps", after=0, sink=other.sink, closed=print)

    def sink(_events: Sequence[Event]) -> None:
        cancelled.cancel()
        if not late.batches:
            hub.subscribe("configmaps", after=0, sink=late.sink, closed=print)

    cancelled.cancel()
    hub.subscribe("configmaps", after=0, sink=sink, closed=print)
    cancelled = hub.subscribe("configmaps", after=0, sink=other.sink, closed=print)
    hub.publish(log.write(create("a")))
    assert (late.told, other.told) == ([("ADDED", "a", 1)], [])


async def test_closing_tells_everyone(hub: WatchHub):
    watchers = [watch(hub), watch(hub, namespace="x"), watch(hub, exact=("a", "b"))]
    hub.close("the cluster sleeps")
    assert [watcher.reasons for watcher in watchers] == [["the cluster sleeps"]] * 3


async def test_buckets_go_with_their_last_subscriber(hub: WatchHub):
    for n in range(50):
        hub.subscribe(
            "configmaps", after=0, exact=("metadata.name", f"p{n}"), sink=print, closed=print
        ).cancel()
    assert hub._topics["configmaps"]._exact == {"metadata.name": {}}


async def test_encodings_are_shared_and_not_kept(cluster: ClusterStore):
    watcher = watch(cluster.hub)
    await cluster.commit(create("a", n=1))
    (event,) = watcher.events
    assert event.obj is event.obj
    assert event.json is event.json
    assert event.json == b'{"type":"ADDED","object":%b}\n' % event.entry.raw
    event.encodings["table"] = b"row"
    assert event.encodings == {"table": b"row"}
    event.release()
    assert event.obj == event.entry.obj()
    assert event.obj is not event.obj
    assert event.encodings == {}
    assert event.json.endswith(b"}\n")


async def test_events_are_released_some_seconds_after_delivery(hub: WatchHub, log: FakeLog):
    (event,) = log.write(create("a"))
    hub.publish([event])
    shared = event.obj
    hub._release()
    assert event.obj is shared, "delivered just now"
    hub._release()
    assert event.obj is not shared
    assert hub._timer is None, "an idle hub has no timer"


@pytest.mark.parametrize("seed", range(10))
async def test_what_was_there_and_the_events_make_what_is_there(log: FakeLog, seed: int):
    """Watchers that begin at any moment, from memory or the log, end with the same objects."""
    random = Random(seed)
    hub = WatchHub(log)
    selections: list[dict[str, Any]] = [
        {},
        {"selector": running},
        {"exact": ("kind", "running")},
        {"namespace": "x", "selector": running},
    ]
    past: list[tuple[int, dict[Any, Entry]]] = []
    followers: list[tuple[dict[str, Any], dict[Any, Entry], Watcher]] = []
    for _ in range(120):
        at = key(f"o{random.randrange(6)}", random.choice(["default", "x"]))
        state = random.choice(["idle", "running"])
        there = at in log.head.entries
        if there and random.random() < 0.3:
            write = delete(at)
        else:
            change = update if there else create
            write = change(at, {"state": state}, kind=state, n=random.random())
        hub.publish(log.write(write))
        past.append((log.revision, dict(log.head.entries)))
        if random.random() < 0.2:
            how = random.choice(selections)
            after, listed = random.choice(past[-30:])
            known = {k: e for k, e in listed.items() if selected(how, e)}
            watcher = Watcher()
            if random.random() < 0.5:
                # As if memory had moved on since: the log has to be read.
                hub._window = Window(log.revision)
            await hub.replay(
                "configmaps", after=after, sink=watcher.sink, closed=watcher.reasons.append, **how
            )
            followers.append((how, known, watcher))
    for how, known, watcher in followers:
        for event in watcher.events:
            if event.type == "DELETED":
                del known[event.entry.key]
            else:
                assert (event.type == "ADDED") is (event.entry.key not in known)
                known[event.entry.key] = event.entry
        expected = {k: e for k, e in log.head.entries.items() if selected(how, e)}
        assert known == expected
    hub.close("over")


def selected(how: dict[str, Any], entry: Entry) -> bool:
    if how.get("namespace") not in (None, entry.key.namespace):
        return False
    return not (how.keys() & {"selector", "exact"}) or running(entry)
