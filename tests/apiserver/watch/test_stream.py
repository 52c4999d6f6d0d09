"""What a client of a watch reads, chunk by chunk."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from apimachinery.clock import ManualClock
from apiserver.storage import ClusterStore, Event
from apiserver.watch import stream
from apiserver.watch.formats import Format, bookmark_metadata, converted, whole_objects
from apiserver.watch.hub import LOG_PAGE
from apiserver.watch.stream import Watch, WatchOptions, open_watch
from apiserver.watch.window import Window
from tests.support.writes import create, delete, key, update

JSON = whole_objects("v1", "ConfigMap")


@pytest.fixture
async def opened():
    watches: list[Watch] = []
    yield watches
    for watch in watches:
        watch.close()


@pytest.fixture
def start(cluster: ClusterStore, clock: ManualClock, opened: list[Watch]):
    async def call(encoding: Format = JSON, **options: Any) -> Watch:
        watch = await open_watch(
            cluster, WatchOptions(resource="configmaps", **options), encoding, clock
        )
        opened.append(watch)
        return watch

    return call


def frames(chunk: bytes) -> list[dict[str, Any]]:
    assert chunk.endswith(b"\n")
    return [orjson.loads(line) for line in chunk.splitlines()]


def words(chunk: bytes) -> list[tuple[str, str, str]]:
    """Return type, name and resourceVersion of each frame."""
    found = ((frame["type"], frame["object"]["metadata"]) for frame in frames(chunk))
    return [(type_, meta.get("name", ""), meta.get("resourceVersion", "")) for type_, meta in found]


async def next_of(watch: Watch) -> bytes:
    return await asyncio.wait_for(anext(watch), 5)


async def rest_of(watch: Watch) -> list[bytes]:
    return [chunk async for chunk in watch]


async def test_events_that_wait_are_one_chunk(start, cluster: ClusterStore):
    watch = await start()
    await cluster.commit_many([create("a"), create("b"), delete("a")])
    assert words(await next_of(watch)) == [
        ("ADDED", "a", "1"),
        ("ADDED", "b", "2"),
        ("DELETED", "a", "3"),
    ]


async def test_a_reader_that_waits_is_woken(start, cluster: ClusterStore):
    watch = await start()
    reading = asyncio.ensure_future(next_of(watch))
    await asyncio.sleep(0)
    entry = await cluster.commit(create("a"))
    assert await reading == b'{"type":"ADDED","object":%b}\n' % entry.raw


async def test_without_a_revision_a_watch_starts_now(start, cluster: ClusterStore):
    await cluster.commit(create("old"))
    watch = await start()
    await cluster.commit(create("new"))
    assert words(await next_of(watch)) == [("ADDED", "new", "2")]


async def test_initial_objects_come_first_and_their_end_is_marked(start, cluster: ClusterStore):
    await cluster.commit_many([create(f"o{n:03}", {"odd": str(n % 2)}) for n in range(150)])
    watch = await start(
        selector=lambda entry: entry.labels["odd"] == "1", initial=True, initial_end=True
    )
    await cluster.commit(update("o001", {"odd": "1"}, n=1))
    chunks = [await next_of(watch) for _ in range(3)]
    assert [len(frames(chunk)) for chunk in chunks] == [64, 11, 2]
    assert words(chunks[0])[0] == ("ADDED", "o001", "2"), "the state when the watch began"
    bookmark, modified = frames(chunks[2])
    assert bookmark == {
        "type": "BOOKMARK",
        "object": {
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": {
                "resourceVersion": "150",
                "annotations": {"k8s.io/initial-events-end": "true"},
            },
        },
    }
    assert modified["type"] == "MODIFIED"


async def test_an_empty_start_is_marked_as_well(start):
    watch = await start(initial=True, initial_end=True)
    assert words(await next_of(watch)) == [("BOOKMARK", "", "0")]


async def test_initial_objects_of_one_name(start, cluster: ClusterStore):
    await cluster.commit_many([create("a"), create("b"), create(key("a", "x"))])
    watch = await start(initial=True, namespace="default", exact=("metadata.name", "a"))
    assert words(await next_of(watch)) == [("ADDED", "a", "1")]


async def test_a_revision_from_the_log_is_caught_up_with(start, cluster: ClusterStore):
    await cluster.commit_many([create("a"), update("a", n=1), update("a", n=2)])
    cluster.hub._window = Window(3)  # type: ignore[attr-defined]
    watch = await start(after=1)
    assert words(await next_of(watch)) == [("MODIFIED", "a", "2"), ("MODIFIED", "a", "3")]


async def test_who_was_away_for_long_reads_all_of_it_in_pages(
    start, cluster: ClusterStore, clock: ManualClock
):
    await cluster.commit_many([create(f"o{n % 2}{n}") for n in range(2 * stream.BACKLOG_EVENTS)])
    watch = await start(
        after=0, bookmarks=True, selector=lambda entry: entry.key.name.startswith("o1")
    )
    clock.advance(60)
    sizes, seen = [], []
    while len(seen) < stream.BACKLOG_EVENTS:
        chunk = words(await next_of(watch))
        sizes.append(len(chunk))
        seen += chunk
    assert seen[: stream.BACKLOG_EVENTS] == [
        ("ADDED", f"o1{n}", str(n + 1)) for n in range(1, 2 * stream.BACKLOG_EVENTS, 2)
    ]
    assert max(sizes[:-1]) <= LOG_PAGE
    await cluster.commit(create("o1-new"))
    assert ("ADDED", "o1-new", str(cluster.revision)) in words(await next_of(watch))


async def test_what_is_forgotten_while_it_is_read_is_told(start, cluster: ClusterStore):
    await cluster.commit_many([create(f"o{n}") for n in range(1000)])
    watch = await start(after=0)
    await cluster.compact(900)
    *_, last = (frame for chunk in await rest_of(watch) for frame in frames(chunk))
    assert (last["type"], last["object"]["code"]) == ("ERROR", 410)


@pytest.mark.parametrize("how", ["the cluster closes", "the kind goes"])
async def test_who_reads_what_was_is_ended_as_the_others_are(start, storage, cluster, how: str):
    await cluster.commit_many([create(f"o{n}") for n in range(2000)])
    watch = await start(after=0)
    await next_of(watch)
    if how == "the kind goes":
        cluster.hub.end("configmaps", "the definition was deleted")
    else:
        await storage.close_cluster("test")
    assert sum(len(frames(chunk)) for chunk in await rest_of(watch)) < 1000


async def test_who_missed_more_than_may_wait_is_told(start, cluster: ClusterStore, monkeypatch):
    monkeypatch.setattr(stream, "BACKLOG_EVENTS", 5)
    await cluster.commit_many([create(f"o{n}") for n in range(9)])
    *_, last = (frame for chunk in await rest_of(await start(after=0)) for frame in frames(chunk))
    assert (last["type"], last["object"]["code"]) == ("ERROR", 410)


async def test_a_revision_no_longer_kept_is_one_error_frame(start, cluster: ClusterStore):
    await cluster.commit_many([create("a"), create("b"), create("c")])
    await cluster.compact(2)
    (chunk,) = await rest_of(await start(after=1, bookmarks=True))
    assert frames(chunk) == [
        {
            "type": "ERROR",
            "object": {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": "too old resource version: 1 (2)",
                "reason": "Expired",
                "code": 410,
            },
        }
    ]


@pytest.mark.parametrize(
    ("limit", "value"), [("BACKLOG_EVENTS", 5), ("BACKLOG_BYTES", 600)], ids=["events", "bytes"]
)
async def test_a_slow_client_is_cut_off_without_a_hole(
    start, cluster: ClusterStore, monkeypatch, limit: str, value: int
):
    monkeypatch.setattr(stream, limit, value)
    watch = await start()
    for n in range(9):
        await cluster.commit(create(f"o{n}"))
    (chunk,) = await rest_of(watch)
    *sent, last = frames(chunk)
    names = [frame["object"]["metadata"]["name"] for frame in sent]
    assert names == [f"o{n}" for n in range(len(names))]
    assert 0 < len(names) < 9
    assert (last["type"], last["object"]["code"]) == ("ERROR", 410)


async def test_a_timeout_ends_the_stream_quietly(start, cluster: ClusterStore, clock: ManualClock):
    watch = await start(timeout=30)
    clock.advance(29.9)
    await cluster.commit(create("a"))
    clock.advance(0.1)
    await cluster.commit(create("late"))
    assert [words(chunk) for chunk in await rest_of(watch)] == [[("ADDED", "a", "1")]]


async def test_bookmarks_come_each_minute_and_before_the_timeout(
    start, cluster: ClusterStore, clock: ManualClock
):
    watch = await start(bookmarks=True, timeout=100)
    await cluster.commit(create("a"))
    await cluster.commit(create(key("other", resource="secrets")))
    clock.advance(59)
    assert words(await next_of(watch)) == [("ADDED", "a", "1")]
    clock.advance(1)
    assert words(await next_of(watch)) == [("BOOKMARK", "", "2")]
    clock.advance(37)
    reading = asyncio.ensure_future(next_of(watch))
    await asyncio.sleep(0)
    assert not reading.done()
    clock.advance(1)
    assert words(await reading) == [("BOOKMARK", "", "2")], "2 seconds before the end"
    clock.advance(2)
    assert await rest_of(watch) == []


async def test_a_bookmark_never_goes_back(start, cluster: ClusterStore, clock: ManualClock):
    watch = await start(bookmarks=True, after=5, timeout=61)
    await cluster.commit(create("a"))
    clock.advance(61)
    assert await rest_of(watch) == []


async def test_formats_encode_an_event_once_for_all_watchers(start, cluster: ClusterStore):
    converted_events: list[Event] = []

    def convert(event: Event) -> dict[str, Any]:
        converted_events.append(event)
        return {"kind": "Table", "rows": [event.entry.key.name]}

    def bookmark(revision: int, initial_events_end: bool) -> dict[str, Any]:
        metadata = bookmark_metadata(revision, initial_events_end=initial_events_end)
        return {"kind": "Table", "metadata": metadata}

    tables = [await start(converted("table", convert, bookmark)) for _ in range(3)]
    whole = await start()
    await cluster.commit(create("a"))
    read = [await next_of(watch) for watch in tables]
    assert read == [b'{"type":"ADDED","object":{"kind":"Table","rows":["a"]}}\n'] * 3
    assert len(converted_events) == 1
    assert words(await next_of(whole)) == [("ADDED", "a", "1")]


async def test_a_cluster_that_closes_ends_its_streams(start, storage, cluster: ClusterStore):
    watch = await start(bookmarks=True, timeout=100)
    await cluster.commit(create("a"))
    await storage.close_cluster("test")
    assert len(await rest_of(watch)) == 1


@pytest.mark.parametrize("leave", ["close", "cancel"])
async def test_a_stream_that_is_left_leaves_nothing_behind(
    start, cluster: ClusterStore, clock: ManualClock, leave: str
):
    watch = await start(bookmarks=True, timeout=100)
    reading = asyncio.ensure_future(anext(watch))
    await asyncio.sleep(0)
    if leave == "cancel":
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    else:
        watch.close()
        with pytest.raises(StopAsyncIteration):
            await reading
    assert cluster.hub._topics["configmaps"].members() == []  # type: ignore[attr-defined]
    assert watch._timers == {}
