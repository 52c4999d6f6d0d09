"""Lists: selectors, pages, revisions."""

import pytest

from apimachinery.errors import ApiError
from apiserver.endpoints.listing import parse_revision
from tests.apiserver.endpoints.support import Client, config_map

MAPS = "/api/v1/namespaces/default/configmaps"


async def fill(client: Client, *names: str) -> None:
    for index, name in enumerate(names):
        labels = {"odd": str(index % 2)}
        await client.post(MAPS, {"metadata": {"name": name, "labels": labels}})


def names(answer) -> list[str]:
    return [item["metadata"]["name"] for item in answer.json()["items"]]


async def test_items_of_typed_lists_carry_no_kind(client: Client):
    await client.post(MAPS, config_map("a", k="v"))
    found = (await client.get(MAPS)).json()
    assert found["kind"] == "ConfigMapList"
    assert found["metadata"] == {"resourceVersion": str(client.api.store.revision)}
    assert sorted(found["items"][0]) == ["data", "metadata"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("labelSelector=odd%3D1", ["b"]),
        ("labelSelector=odd+in+(0,1),odd!%3D1", ["a", "c"]),
        ("fieldSelector=metadata.name%3Db", ["b"]),
        ("fieldSelector=metadata.name!%3Db", ["a", "c"]),
        ("fieldSelector=metadata.namespace%3Delsewhere", []),
        ("fieldSelector=metadata.name%3Da&labelSelector=odd%3D1", []),
    ],
)
async def test_selectors(client: Client, query, expected):
    await fill(client, "a", "b", "c")
    assert names(await client.get(f"{MAPS}?{query}")) == expected
    assert names(await client.get(f"/api/v1/configmaps?{query}")) == expected


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (f"{MAPS}?labelSelector=a%3D%3D%3Db", "unable to parse requirement"),
        ("/api/v1/pods?fieldSelector=spec.x%3D1", "field label not supported: spec.x"),
        (
            "/apis/apps/v1/deployments?fieldSelector=spec.x%3D1",
            '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (f"{MAPS}?resourceVersion=abc", "invalid resource version: resourceVersion: Invalid value"),
        (f"{MAPS}?limit=x", 'strconv.ParseInt: parsing "x": invalid syntax'),
        (f"{MAPS}?limit=1_0", 'strconv.ParseInt: parsing "1_0": invalid syntax'),
        (f"{MAPS}?limit={10**19}", f'strconv.ParseInt: parsing "{10**19}": value out of range'),
        (f"{MAPS}?limit={'9' * 5000}", "strconv.ParseInt: parsing "),
        (f"{MAPS}?resourceVersion={'9' * 5000}", "invalid resource version: resourceVersion: Inv"),
        (f"{MAPS}?watch=1&timeoutSeconds=1s", 'strconv.ParseInt: parsing "1s": invalid syntax'),
        (
            "/api/v1/watch/namespaces/default/configmaps/a?fieldSelector=metadata.name%3Db",
            "fieldSelector metadata.name doesn't match requested name",
        ),
        (f"{MAPS}?continue=x", "continue key is not valid"),
    ],
)
async def test_queries_that_cannot_be_read(client: Client, path, message):
    found = await client.get(path)
    assert found.status == 400
    assert found.message.startswith(message)


async def test_pages_show_one_moment(client: Client):
    await fill(client, "a", "b", "c", "d", "e")
    first = await client.get(f"{MAPS}?limit=2")
    meta = first.json()["metadata"]
    assert names(first) == ["a", "b"]
    assert meta["remainingItemCount"] == 3
    await fill(client, "bb")
    await client.request("DELETE", f"{MAPS}/d")
    second = await client.get(f"{MAPS}?limit=2&continue={meta['continue']}")
    assert names(second) == ["c", "d"]
    assert second.json()["metadata"]["resourceVersion"] == meta["resourceVersion"]
    token = second.json()["metadata"]["continue"]
    third = await client.get(f"{MAPS}?continue={token}")
    assert names(third) == ["e"]
    assert "continue" not in third.json()["metadata"]


async def test_a_page_of_a_forgotten_moment_goes_on_in_the_present(client: Client):
    await fill(client, "a", "b", "c")
    token = (await client.get(f"{MAPS}?limit=1")).json()["metadata"]["continue"]
    await fill(client, "bb")
    client.api.store.oldest = client.api.store.revision
    gone = await client.get(f"{MAPS}?limit=1&continue={token}")
    assert (gone.status, gone.json()["reason"]) == (410, "Expired")
    again = gone.json()["metadata"]["continue"]
    assert names(await client.get(f"{MAPS}?continue={again}")) == ["b", "bb", "c"]


async def test_the_past_can_be_listed_exactly(client: Client):
    await fill(client, "a")
    then = client.api.store.revision
    await fill(client, "b")
    exact = f"{MAPS}?resourceVersion={then}&resourceVersionMatch=Exact"
    assert names(await client.get(exact)) == ["a"]
    newer = f"{MAPS}?resourceVersion={then}&resourceVersionMatch=NotOlderThan"
    assert names(await client.get(newer)) == ["a", "b"]
    assert names(await client.get(f"{MAPS}?resourceVersion=0")) == ["a", "b"]
    client.api.store.oldest = client.api.store.revision
    assert (await client.get(exact)).status == 410
    future = await client.get(f"{MAPS}?resourceVersion=999999")
    assert future.status == 504
    current = client.api.store.revision
    assert future.message == (f"Timeout: Too large resource version: 999999, current: {current}")


async def test_anything_will_do_knows_no_pages(client: Client):
    await fill(client, "a", "b")
    found = await client.get(f"{MAPS}?limit=1&resourceVersion=0")
    assert names(found) == ["a", "b"]
    assert "continue" not in found.json()["metadata"]


async def test_lists_of_all_namespaces_are_in_the_order_of_etcd(client: Client):
    for namespace in ("a", "a-b"):
        await client.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
        await client.post(f"/api/v1/namespaces/{namespace}/configmaps", config_map("m"))
    first = await client.get("/api/v1/configmaps?limit=1")
    assert first.json()["items"][0]["metadata"]["namespace"] == "a-b"
    token = first.json()["metadata"]["continue"]
    second = await client.get(f"/api/v1/configmaps?continue={token}")
    assert [item["metadata"]["namespace"] for item in second.json()["items"]] == ["a"]


async def test_one_object_can_be_asked_for_as_of_a_revision(client: Client):
    await fill(client, "a")
    assert (await client.get(f"{MAPS}/a?resourceVersion=1")).status == 200
    future = await client.get(f"{MAPS}/a?resourceVersion=999999")
    assert (future.status, future.json()["reason"]) == (504, "Timeout")
    assert (await client.get(f"{MAPS}/a?resourceVersion=x")).status == 500


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "resourceVersionMatch=Exact",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            "resourceVersion=0&resourceVersionMatch=Exact",
            'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        (
            "resourceVersion=1&resourceVersionMatch=Nope",
            'Unsupported value: "Nope": supported values: "Exact", "NotOlderThan", ""',
        ),
        ("sendInitialEvents=true", "Forbidden: sendInitialEvents is forbidden for list"),
        (
            "watch=1&sendInitialEvents=true",
            "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (
            "watch=1&resourceVersionMatch=NotOlderThan",
            ("Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
            "provided"),
        ),
    ],
)  # fmt: skip
async def test_options_that_contradict_each_other(client: Client, query, message):
    found = await client.get(f"{MAPS}?{query}")
    assert found.status == 422
    assert found.json()["details"]["causes"][0]["message"] == message


def test_a_revision_is_a_number():
    assert parse_revision("12") == 12
    with pytest.raises(ApiError) as refused:
        parse_revision("-1")
    assert refused.value.code == 500
