"""Patches as an HTTP client sees them: what they make of objects, and how they are refused."""

import pytest

from tests.apiserver.endpoints.support import Client

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
STRATEGIC, MERGE, JSON = (
    {"content-type": f"application/{kind}+json"}
    for kind in ("strategic-merge-patch", "merge-patch", "json-patch")
)
SYNTAX = "invalid character 'x' looking for beginning of object key string"


def deployment():
    labels = {"a": "b"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
    }
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}


@pytest.fixture
async def path(client: Client):
    made = await client.post(DEPLOYMENTS, deployment())
    assert made.status == 201
    return f"{DEPLOYMENTS}/d"


def containers(*given):
    return {"spec": {"template": {"spec": {"containers": list(given)}}}}


@pytest.mark.parametrize(
    ("patch", "shown", "why"),
    [
        ({"spec": {"replicas": "x"}}, "map[spec:map[replicas:x]]", "unrecognized type: int32"),
        (
            {"spec": {"replicas": 1.5}},
            "map[spec:map[replicas:1.5]]",
            "cannot convert float64 to int32",
        ),
        (
            {"spec": {"template": "x"}},
            "map[spec:map[template:x]]",
            "cannot restore struct from: string",
        ),
        (
            {"metadata": {"labels": ["x"]}},
            "map[metadata:map[labels:[x]]]",
            "cannot restore map from slice",
        ),
        (
            {"metadata": {"finalizers": True}},
            "map[metadata:map[finalizers:true]]",
            "cannot restore slice from bool",
        ),
        (
            {"metadata": {"labels": {"a": 1}}},
            "map[metadata:map[labels:map[a:1]]]",
            "cannot convert int64 to string",
        ),
        (
            {"metadata": {"creationTimestamp": "x"}},
            "map[metadata:map[creationTimestamp:x]]",
            ('parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
        ),
    ],
)
async def test_strategic_patches_that_do_not_fit(client: Client, path, patch, shown, why):
    before = client.api.store.revision
    answer = await client.request("PATCH", path, patch, STRATEGIC)
    assert answer.status == 422
    assert answer.message == f' "" is invalid: patch: Invalid value: "{shown}": {why}'
    assert client.api.store.revision == before


async def test_strategic_patches_are_free_with_numbers_and_kinds(client: Client, path):
    patch = {"kind": "Pod", "apiVersion": "v1", "spec": {"replicas": 2.0}}
    answer = await client.request("PATCH", path, patch, STRATEGIC)
    assert (answer.status, answer.json()["spec"]["replicas"]) == (200, 2)
    answer = await client.request("PATCH", path, {"spec": {"replicas": 2**32 - 1}}, STRATEGIC)
    assert "spec.replicas: Invalid value: -1: " in answer.message


@pytest.mark.parametrize(
    ("headers", "query", "body", "status", "message"),
    [
        (STRATEGIC, "", b"{x", 400, SYNTAX),
        (MERGE, "", b"{x", 400, f"error decoding patch: {SYNTAX}"),
        (JSON, "", b"{x", 400, f"error decoding patch: {SYNTAX}"),
        (STRATEGIC, "?fieldValidation=Ignore", b"{x", 400, SYNTAX),
        (MERGE, "?fieldValidation=Ignore", b"{x", 400, "Invalid JSON Patch"),
        (JSON, "?fieldValidation=Ignore", b"{x", 400, SYNTAX),
        (STRATEGIC, "", b"", 400, "unexpected end of JSON input"),
        (
            STRATEGIC,
            "",
            b"[]",
            400,
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (MERGE, "", b"null", 400, "Invalid JSON Patch"),
        (
            JSON,
            "?fieldValidation=Ignore",
            b"{}",
            400,
            "json: cannot unmarshal object into Go value of type jsonpatch.Patch",
        ),
        (
            STRATEGIC,
            "",
            b'{"spec":{"$setElementOrder/nope":[]}}',
            500,
            'unable to find api field in struct DeploymentSpec for the json field "nope"',
        ),
        (
            MERGE,
            "",
            b'{"metadata":{"namespace":"other"}}',
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
    ],
)
async def test_what_is_no_patch(client: Client, path, headers, query, body, status, message):
    answer = await client.request("PATCH", path + query, body, headers)
    assert (answer.status, answer.message) == (status, message)


@pytest.mark.parametrize("headers", [STRATEGIC, MERGE, JSON])
async def test_a_patch_of_nothing_changes_nothing(client: Client, path, headers):
    before = (await client.get(path)).body
    body = b"[]" if headers is JSON else b"{}"
    answer = await client.request("PATCH", path, body, headers)
    assert (answer.status, answer.body) == (200, before)


@pytest.mark.parametrize(
    ("headers", "body", "warnings"),
    [
        (
            STRATEGIC,
            b'{"z":1,"spec":{"paused":true,"paused":false,"b":1,"a":1}}',
            [
                'duplicate field "spec.paused"',
                'unknown field "spec.a"',
                'unknown field "spec.b"',
                'unknown field "z"',
            ],
        ),
        (
            MERGE,
            b'{"spec":{"b":1,"a":1,"paused":true,"paused":false}}',
            [
                'duplicate field "spec.paused"',
                'unknown field "spec.b"',
                'unknown field "spec.a"',
            ],
        ),
        (
            JSON,
            b'[{"op":"add","path":"/spec/x","value":1,"value":1,"more":1}]',
            [
                'json patch duplicate field "[0].value"',
                'json patch unknown field "[0].more"',
                'unknown field "spec.x"',
            ],
        ),
    ],
)
async def test_odd_fields_are_warned_of_or_refused(client: Client, path, headers, body, warnings):
    answer = await client.request("PATCH", path, body, headers)
    assert answer.status == 200
    given = answer.headers["warning"].split("299 - ")[1:]
    assert [one.rstrip(", ")[1:-1].replace('\\"', '"') for one in given] == warnings
    answer = await client.request("PATCH", f"{path}?fieldValidation=Strict", body, headers)
    assert answer.status == 422
    assert answer.message.endswith(f": strict decoding error: {', '.join(warnings)}")
    answer = await client.request("PATCH", f"{path}?fieldValidation=Ignore", body, headers)
    assert (answer.status, answer.headers.get("warning")) == (200, None)


async def test_managed_fields_that_cannot_be_read_are_not_taken(client: Client, path):
    before = (await client.get(path)).json()["metadata"]["managedFields"]
    entry = {"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    for fields in ({"spec": {}}, {"f:a": {"k:x": {}}}, {"f:a": 1}, {"i:x": {}}):
        patch = {"metadata": {"managedFields": [{**entry, "fieldsV1": fields}]}}
        answer = await client.request("PATCH", path, patch, MERGE)
        assert answer.json()["metadata"]["managedFields"] == before
    patch = {"metadata": {"managedFields": [{**entry, "fieldsV1": {"f:spec": {}}}]}}
    answer = await client.request("PATCH", path, patch, MERGE)
    assert [one["manager"] for one in answer.json()["metadata"]["managedFields"]] == ["m"]
