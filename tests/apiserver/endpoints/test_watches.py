"""Watches, as streams over HTTP and in process."""

import asyncio

import pytest

from apimachinery.clock import ManualClock
from apiserver.auth.user import User
from apiserver.endpoints.api import ClusterApi
from tests.apiserver.endpoints.support import Call, Client, Stream, config_map, local

MAPS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def summary(events) -> list:
    return [(e["type"], e["object"]["metadata"].get("name", "")) for e in events]


async def test_old_paths_watch_a_collection_or_one_object(client: Client):
    await client.post(MAPS, config_map("a"))
    await client.post(MAPS, config_map("b"))
    every = Stream(client, "/api/v1/watch/configmaps")
    one = Stream(client, "/api/v1/watch/namespaces/default/configmaps/b")
    assert summary(await every.events()) == [("ADDED", "a"), ("ADDED", "b")]
    assert summary(await one.events()) == [("ADDED", "b")]
    await client.request("DELETE", f"{MAPS}/a")
    await client.request("DELETE", f"{MAPS}/b")
    assert summary(await one.events())[1:] == [("DELETED", "b")]
    await every.leave()
    await one.leave()


async def test_a_watch_of_less_than_no_time_ends_at_once(client: Client):
    await client.post(MAPS, config_map("a"))
    stream = Stream(client, f"{MAPS}?watch=1&timeoutSeconds=-1")
    assert summary(await stream.events()) == [("ADDED", "a")]
    await stream.task


async def test_a_watch_begins_with_what_is_there(client: Client):
    await client.post(MAPS, config_map("a"))
    stream = Stream(client, f"{MAPS}?watch=1")
    assert summary(await stream.events()) == [("ADDED", "a")]
    await client.post(MAPS, config_map("b"))
    await client.request("DELETE", f"{MAPS}/a")
    assert summary(await stream.events())[1:] == [("ADDED", "b"), ("DELETED", "a")]
    await stream.leave()
    assert stream.sent[0]["status"] == 200


async def test_a_client_that_leaves_takes_its_subscription_along(client: Client):
    stream = Stream(client, f"{MAPS}?watch=1")
    await stream.events()
    await stream.leave()
    before = len(stream.sent)
    await client.post(MAPS, config_map("a"))
    assert len(stream.sent) == before


async def test_a_watch_goes_on_after_a_revision(client: Client):
    await client.post(MAPS, config_map("a"))
    revision = client.api.store.revision
    await client.post(MAPS, config_map("b"))
    stream = Stream(client, f"{MAPS}?watch=1&resourceVersion={revision}")
    assert summary(await stream.events()) == [("ADDED", "b")]
    await stream.leave()


async def test_a_revision_that_is_gone_ends_the_stream(client: Client):
    await client.post(MAPS, config_map("a"))
    client.api.store.oldest = client.api.store.revision
    stream = Stream(client, f"{MAPS}?watch=1&resourceVersion=1")
    (event,) = await stream.events()
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    await stream.task


async def test_a_stream_can_replace_a_list(client: Client):
    await client.post(MAPS, config_map("a"))
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    stream = Stream(client, f"{MAPS}?watch=1&{query}")
    added, mark = await stream.events()
    assert (added["type"], mark["type"]) == ("ADDED", "BOOKMARK")
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    await stream.leave()


async def test_a_watch_ends_in_time(client: Client, clock: ManualClock):
    stream = Stream(client, f"{MAPS}?watch=1&timeoutSeconds=5")
    await stream.events()
    clock.advance(5)
    await asyncio.wait_for(stream.task, 1)


async def test_tables_name_their_columns_once(client: Client):
    await client.post(MAPS, config_map("a"))
    stream = Stream(client, f"{MAPS}?watch=1", accept=TABLE)
    await client.post(MAPS, config_map("b", k="v"))
    first, second = await stream.events()
    assert [c["name"] for c in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert second["object"]["columnDefinitions"] is None
    assert second["object"]["rows"][0]["cells"] == ["b", 1, "0s"]
    await stream.leave()


async def test_metadata_alone_can_be_watched(client: Client):
    form = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
    stream = Stream(client, f"{MAPS}?watch=1", accept=form)
    await client.post(MAPS, config_map("a", k="v"))
    (event,) = await stream.events()
    assert sorted(event["object"]) == ["apiVersion", "kind", "metadata"]
    await stream.leave()


async def test_another_version_can_be_watched(client: Client):
    stream = Stream(client, "/apis/events.k8s.io/v1/namespaces/default/events?watch=1")
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"},
        "message": "hello",
    }
    made = await client.post("/api/v1/namespaces/default/events", event)
    assert made.status == 201
    (seen,) = await stream.events()
    assert seen["object"]["apiVersion"] == "events.k8s.io/v1"
    assert seen["object"]["note"] == "hello"
    await stream.leave()


@pytest.mark.parametrize("revision", ["notanumber", "-1"])
async def test_a_revision_has_to_be_a_number(client: Client, revision):
    found = await client.get(f"{MAPS}?watch=true&resourceVersion={revision}")
    assert found.status == 500
    assert found.message == (
        f'resourceVersion: Invalid value: "{revision}": strconv.ParseUint: parsing '
        f'"{revision}": invalid syntax'
    )


async def test_workers_watch_in_process(api: ClusterApi):
    door, seen, ended = local(api), [], []
    call = Call("list", "", "v1", "configmaps", "default")
    watch = door.watch(call, api.store.revision, seen.extend, ended.append)
    await asyncio.sleep(0)
    made = await door.call(Call("create", "", "v1", "configmaps", "default", body=config_map("a")))
    await asyncio.sleep(0)
    assert [(e.type, e.object["metadata"]["name"], e.revision) for e in seen] == [
        ("ADDED", "a", int(made["metadata"]["resourceVersion"]))
    ]
    watch.cancel()
    await door.call(Call("delete", "", "v1", "configmaps", "default", "a"))
    assert len(seen) == 1
    assert ended == []


async def test_a_worker_without_rights_is_told(api: ClusterApi):
    ended = []
    door = local(api, User("nobody"))
    door.watch(Call("list", "", "v1", "secrets"), 0, lambda _events: None, ended.append)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [error.code for error in ended] == [403]


async def test_a_worker_that_asks_for_the_forgotten_is_told(api: ClusterApi):
    ended = []
    await local(api).call(Call("create", "", "v1", "configmaps", "default", body=config_map("a")))
    api.store.oldest = api.store.revision
    local(api).watch(Call("list", "", "v1", "configmaps"), 0, lambda _events: None, ended.append)
    for _ in range(5):
        await asyncio.sleep(0)
    assert [error.reason for error in ended] == ["Expired"]
