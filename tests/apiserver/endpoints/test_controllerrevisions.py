"""ControllerRevisions: their data is compared by its bytes."""

import orjson
import pytest

from tests.apiserver.endpoints.support import Call, Client, local

PATH = "/apis/apps/v1/namespaces/default/controllerrevisions"
BLANKS = b'{"spec": {"b": 1, "a": "<"}}'
COMPACT = b'{"spec":{"b":1,"a":"\\u003c"}}'
SORTED = b'{"spec":{"a":"\\u003c","b":1}}'
HEAD = b'{"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"name":"r"},"revision":%d'
MERGE, STRATEGIC, JSON, APPLY = (
    {"content-type": f"application/{kind}"}
    for kind in (
        "merge-patch+json",
        "strategic-merge-patch+json",
        "json-patch+json",
        "apply-patch+yaml",
    )
)
PATCHES = (
    (MERGE, b'{"revision":2}'),
    (JSON, b'[{"op":"replace","path":"/revision","value":2}]'),
    (STRATEGIC, b'{"revision":2}'),
    (APPLY, HEAD % 2 + b"}"),
)


def revision(data, number=1):
    return HEAD % number + b',"data":' + data + b"}"


@pytest.mark.parametrize(
    ("data", "accepted"),
    [(BLANKS, 0), (COMPACT, 2), (SORTED, 4), (b'{"spec":{"a":"<","b":1}}', 0)],
)
async def test_patches_print_it_anew(client: Client, data, accepted):
    assert (await client.request("POST", PATH, revision(data))).status == 201
    found = []
    for headers, patch in PATCHES:
        query = "?fieldManager=m&force=true" if headers is APPLY else ""
        answer = await client.request("PATCH", f"{PATH}/r{query}", patch, headers)
        found.append(answer.status)
        if answer.status == 422:
            assert 'is invalid: data: Invalid value: {"spec":{"' in answer.message
            assert answer.message.endswith("}}: field is immutable")
    assert found == [200] * accepted + [422] * (4 - accepted)


async def test_what_was_sent_may_be_sent_again(client: Client):
    await client.request("POST", PATH, revision(BLANKS))
    assert (await client.request("PUT", f"{PATH}/r", revision(BLANKS, 2))).status == 200
    assert (await client.request("PUT", f"{PATH}/r", revision(COMPACT, 3))).status == 422
    assert (await client.request("PUT", f"{PATH}/r", revision(BLANKS, 3))).status == 200
    assert (await client.get(f"{PATH}/r")).json()["revision"] == 3


async def test_deletion_leaves_the_text_alone(client: Client):
    held = revision(BLANKS).replace(b'"r"}', b'"r","finalizers":["a/b"]}')
    await client.request("POST", PATH, held)
    marked = await client.request("DELETE", f"{PATH}/r")
    assert "deletionTimestamp" in marked.json()["metadata"]
    answer = await client.request("PATCH", f"{PATH}/r", b'{"metadata":{"finalizers":null}}', MERGE)
    assert answer.status == 422
    assert (await client.request("PUT", f"{PATH}/r", revision(BLANKS))).status == 200
    assert (await client.get(f"{PATH}/r")).status == 404


async def test_controllers_may_number_what_they_made(client: Client):
    door = local(client.api)
    place = ("apps", "v1", "controllerrevisions", "default")
    body = orjson.loads(revision(b'{"b":"<","a":1}'))
    made = await door.call(Call("create", *place, body=body))
    made = await door.call(Call("update", *place, "r", body={**made, "revision": 2}))
    assert made["revision"] == 2
    answer = await client.request("PATCH", f"{PATH}/r", b'{"revision":3}', MERGE)
    assert answer.status == 200
