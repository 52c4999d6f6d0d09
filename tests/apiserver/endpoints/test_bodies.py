"""Bodies of all media types: what is taken, what is warned of, and how others are refused."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apimachinery.gvk import CORE_V1
from apimachinery.protobuf import encode
from tests.apiserver.endpoints.support import Client, config_map, make_api

MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
UNRECOGNIZED = "the object provided is unrecognized (must be of type ConfigMap): "
NO_NAME = 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'


async def post(client: Client, body, kind=JSON, query=""):
    return await client.request("POST", MAPS + query, body, {"content-type": kind})


@pytest.mark.parametrize(
    ("body", "kind", "status", "message"),
    [
        (b"null", JSON, 422, NO_NAME),
        (b"", YAML, 422, NO_NAME),
        (
            b"a: b: c",
            YAML,
            400,
            f"{UNRECOGNIZED}yaml: mapping values are not allowed in this context (613a20623a2063)",
        ),
        (
            b"a: 1\n\tb: 1",
            YAML,
            400,
            (
                f"{UNRECOGNIZED}yaml: line 2: found character that cannot start any token "
                "(613a20310a09623a2031)"
            ),
        ),
        (
            {**config_map("a"), "kind": "Secret"},
            JSON,
            400,
            (
                'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) '
                "to (core.ConfigMap): unknown conversion"
            ),
        ),
        (b"k8s\x00", PROTOBUF, 400, f"{UNRECOGNIZED}empty body (6b387300)"),
        (b"k8s\x00\x0a\x05", PROTOBUF, 400, f"{UNRECOGNIZED}unexpected EOF (6b3873000a05)"),
        (
            b"\x1f\x8b\x08",
            JSON,
            400,
            (
                f"{UNRECOGNIZED}couldn't get version/kind; json parse error: invalid character "
                "'\\x1f' looking for beginning of value (1f8b08)"
            ),
        ),
    ],
)
async def test_refusals(client: Client, body, kind, status, message):
    before = client.api.store.revision
    answer = await post(client, body, kind)
    assert (answer.status, answer.message) == (status, message)
    assert client.api.store.revision == before


@pytest.mark.parametrize("number", ["99999999999999999999", "1e3", "1.50", "-1.0"])
async def test_numbers_are_shown_as_they_were_written(client: Client, number):
    body = f'{{"metadata":{{"name":"a","generation":{number}}}}}'.encode()
    answer = await post(client, body)
    assert answer.message == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number '
        f"{number} into Go struct field ObjectMeta.metadata.generation of type int64"
    )


async def test_the_first_document_counts(client: Client):
    answer = await post(client, b"---\nmetadata: {name: a}\n---\nmetadata: {name: [\n", YAML)
    assert (answer.status, answer.json()["metadata"]["name"]) == (201, "a")


async def test_text_that_is_no_utf8_is_mended(client: Client):
    answer = await post(client, b'{"metadata":{"name":"a"},"data":{"k":"x\xff"}}')
    assert (answer.status, answer.json()["data"]) == (201, {"k": "x\ufffd"})


ODD = (
    (
        JSON,
        b'{"metadata":{"name":"a","Labels":{}},"data":{"k":"1","k":"2"},"z":{"a":1,"a":1}}',
        ['unknown field "metadata.Labels"', 'duplicate field "data.k"', 'unknown field "z"'],
        ", ",
    ),
    (
        YAML,
        b"z: 1\nmetadata: {name: a, name: a}\ndata:\n  k: '1'\n  k: '2'\n",
        [
            'line 2: key "name" already set in map',
            'line 5: key "k" already set in map',
            'unknown field "z"',
        ],
        "",
    ),
)


@pytest.mark.parametrize(("kind", "body", "odd", "joined"), ODD)
async def test_odd_fields(client: Client, kind, body, odd, joined):
    answer = await post(client, body, kind, "?fieldValidation=Strict")
    assert answer.status == 400
    told = ", ".join(odd)
    if not joined:
        told = f"yaml: unmarshal errors:\n  {odd[0]}\n  {odd[1]}, {odd[2]}"
    assert answer.message == (
        f'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: {told}'
    )
    answer = await post(client, body, kind)
    assert answer.status == 201
    assert answer.json()["data"] == {"k": "2"}
    warnings = answer.headers["warning"].replace("\\", "")
    assert warnings == ", ".join(f'299 - "{one}"' for one in odd)


async def test_what_is_too_large_for_storage(client: Client):
    container = {"name": "c", "image": "x", "args": ["x" * 2**20, "y" * 2**20]}
    template = {"template": {"spec": {"containers": [container]}}}
    body = {"metadata": {"name": "t"}, **template}
    before = client.api.store.revision
    answer = await client.post("/api/v1/namespaces/default/podtemplates", body)
    assert answer.json() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "etcdserver: request is too large",
        "code": 500,
    }
    assert client.api.store.revision == before


QUICK = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
POD = {
    "metadata": {"name": "p", "labels": {"a": "b"}},
    "spec": {"containers": [{"name": "c", "image": "x", "ports": [{"containerPort": 80}]}]},
}
MESSAGE = encode({"apiVersion": "v1", "kind": "Pod", **POD}, CORE_V1.kind("Pod"))


@QUICK
@given(st.integers(0, len(MESSAGE)), st.integers(0, len(MESSAGE)), st.binary(max_size=4))
async def test_broken_messages_are_bad_requests(start, end, put):
    client = Client(await make_api(bare=True))
    before = client.api.store.revision
    body = MESSAGE[: min(start, end)] + put + MESSAGE[max(start, end) :]
    answer = await client.request("POST", PODS, body, {"content-type": PROTOBUF})
    assert answer.status in (201, 400, 403, 422)
    assert answer.status == 201 or client.api.store.revision == before
