"""The forms of answers: several lines, compressed, protobuf."""

import asyncio
import gzip

import pytest

from apimachinery import wire
from apimachinery.protobuf import decode_request
from apiserver.endpoints import compression
from tests.apiserver.endpoints.support import Client, config_map

MAPS = "/api/v1/namespaces/default/configmaps"
PROTOBUF = "application/vnd.kubernetes.protobuf"
PARTIAL = f"{PROTOBUF};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PARTIAL_LIST = f"{PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@pytest.mark.parametrize(
    ("query", "agent", "pretty"),
    [
        ("", "curl/8.5.0", True),
        ("", "Wget/1.21", True),
        ("", "Mozilla/5.0 (X11)", True),
        ("", "kubectl/v1.36.2", False),
        ("?pretty=true", "kubectl/v1.36.2", True),
        ("?pretty=false", "curl/8.5.0", False),
        ("?pretty=yes", "curl/8.5.0", False),
    ],
)
async def test_people_get_several_lines(client: Client, query: str, agent: str, pretty: bool):
    for path in (f"{MAPS}/none", MAPS, "/apis", "/api/v1"):
        found = await client.request("GET", path + query, headers={"user-agent": agent})
        assert (b"\n  " in found.body) is pretty
        assert found.json()["kind"]


async def test_a_stranger_with_curl_is_refused_in_several_lines(client: Client):
    client.token = ""
    found = await client.request("GET", "/", headers={"user-agent": "curl/8.5.0"})
    assert found.status == 403
    assert found.body.startswith(b'{\n  "kind": "Status",\n  "apiVersion": "v1",\n')


async def test_large_answers_are_compressed_for_who_takes_it(client: Client):
    await client.post(MAPS, config_map("large", text="x" * compression.SMALLEST))
    plain = await client.get(f"{MAPS}/large")
    assert "content-encoding" not in plain.headers
    packed = await client.request("GET", f"{MAPS}/large", headers={"accept-encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) == len(packed.body) < 5_000
    assert gzip.decompress(packed.body) == plain.body
    small = await client.request("GET", f"{MAPS}/none", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in small.headers


async def test_json_is_preferred_wherever_it_is_taken(client: Client):
    found = await client.get(MAPS, accept=f"{PROTOBUF},application/json;q=0.1")
    assert found.headers["content-type"] == "application/json"


async def test_who_takes_nothing_else_gets_protobuf(client: Client):
    await client.post(MAPS, config_map("a", k="v"))
    plain = (await client.get(f"{MAPS}/a")).json()
    one = await client.get(f"{MAPS}/a", accept=PROTOBUF)
    assert one.headers["content-type"] == PROTOBUF
    assert decode_request(one.body) == plain
    listing = decode_request((await client.get(MAPS, accept=PROTOBUF)).body)
    assert listing["kind"] == "ConfigMapList"
    assert listing["metadata"] == {"resourceVersion": str(client.api.store.revision)}
    (item,) = listing["items"]
    assert {"kind": "ConfigMap", "apiVersion": "v1", **item} == plain
    refused = await client.get(f"{MAPS}/none", accept=PROTOBUF)
    assert refused.status == 404
    assert decode_request(refused.body)["reason"] == "NotFound"


async def test_metadata_alone_as_protobuf(client: Client):
    await client.post(MAPS, config_map("a", k="v"))
    one = decode_request((await client.get(f"{MAPS}/a", accept=PARTIAL)).body)
    assert (one["kind"], one["metadata"]["name"], "data" in one) == (
        "PartialObjectMetadata",
        "a",
        False,
    )
    many = decode_request((await client.get(MAPS, accept=PARTIAL_LIST)).body)
    assert [item["metadata"]["name"] for item in many["items"]] == ["a"]


async def test_what_has_no_message_is_not_acceptable(client: Client):
    table = f"{PROTOBUF};as=Table;g=meta.k8s.io;v=v1"
    assert (await client.get(MAPS, accept=table)).status == 406
    assert (await client.get(MAPS, accept="application/cbor")).status == 406


def frames(stream: bytes) -> list[tuple[str, dict]]:
    """Return the types and objects of a binary watch."""
    found = []
    while stream:
        length = int.from_bytes(stream[:4], "big")
        event, stream = stream[4 : 4 + length], stream[4 + length :]
        parts = dict(wire.fields(event, 0, len(event)))
        raw = dict(wire.fields(parts[2], 0, len(parts[2])))[1]
        found.append((parts[1].decode(), decode_request(raw)))
    return found


async def test_a_watch_as_protobuf(client: Client):
    await client.post(MAPS, config_map("a", k="v"))
    path = f"{MAPS}?watch=1&timeoutSeconds=-1&allowWatchBookmarks=1"
    found = await asyncio.wait_for(client.get(path, accept=f"{PROTOBUF};stream=watch"), 5)
    assert found.headers["content-type"] == f"{PROTOBUF};stream=watch"
    ((type_, obj),) = frames(found.body)
    assert (type_, obj["metadata"]["name"], obj["data"]) == ("ADDED", "a", {"k": "v"})
    client.api.store.oldest = client.api.store.revision
    gone = await client.get(f"{MAPS}?watch=1&resourceVersion=1", accept=PROTOBUF)
    ((type_, status),) = frames(gone.body)
    assert (type_, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
