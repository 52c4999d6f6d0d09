"""Bad input, wherever it comes in: Kubernetes' own error, and nothing is changed."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any

import httpx
import pytest

from tests.support.server import Playground

pytestmark = pytest.mark.e2e

JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
MAPS = "/api/v1/namespaces/{ns}/configmaps"
PODS = "/api/v1/namespaces/{ns}/pods"
TARGET = MAPS + "/target"

MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}


def typed(content: Any) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content).encode()


CASES = [
    # (what, method, path, content type, body, code, reason, part of the message)
    ("no JSON", "POST", MAPS, JSON, b"{not json", 400, "BadRequest", "invalid character"),
    ("JSON cut off", "POST", MAPS, JSON, b'{"metadata":', 400, "BadRequest", ""),
    ("an empty body", "POST", MAPS, JSON, b"", 400, "BadRequest", ""),
    ("a list", "POST", MAPS, JSON, [1, 2], 400, "BadRequest", ""),
    ("bytes", "POST", MAPS, JSON, b"\xff\xfe\x00", 400, "BadRequest", ""),
    ("no YAML", "POST", MAPS, YAML, b"a: [1, 2", 400, "BadRequest", "yaml: line 1: did not find"),
    ("a YAML bomb", "POST", MAPS, YAML, None, 400, "BadRequest", "excessive aliasing"),
    ("YAML in itself", "POST", MAPS, YAML, b"a: &a [*a]", 400, "BadRequest", "contains itself"),
    ("deep YAML", "POST", MAPS, YAML, b"[" * 100_000, 400, "BadRequest", ""),
    ("no protobuf", "POST", MAPS, PROTOBUF, b"junk", 400, "BadRequest", ""),
    ("protobuf cut off", "POST", MAPS, PROTOBUF, b"k8s\x00\x0a\xff", 400, "BadRequest", ""),
    ("an unknown type", "POST", MAPS, "text/plain", MAP, 415, "UnsupportedMediaType", ""),
    (
        "another kind",
        "POST",
        MAPS,
        JSON,
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "new"}},
        400,
        "BadRequest",
        "",
    ),
    (
        "another version",
        "POST",
        MAPS,
        JSON,
        {**MAP, "apiVersion": "apps/v1"},
        400,
        "BadRequest",
        "",
    ),
    (
        "another namespace",
        "POST",
        MAPS,
        JSON,
        {**MAP, "metadata": {"name": "new", "namespace": "default"}},
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
    ),
    (
        "no name",
        "POST",
        MAPS,
        JSON,
        {**MAP, "metadata": {}},
        422,
        "Invalid",
        "name or generateName is required",
    ),
    (
        "a bad name",
        "POST",
        MAPS,
        JSON,
        {**MAP, "metadata": {"name": "../etc"}},
        422,
        "Invalid",
        "metadata.name: Invalid value",
    ),
    (
        "a version on creation",
        "POST",
        MAPS,
        JSON,
        {**MAP, "metadata": {"name": "new", "resourceVersion": "5"}},
        400,
        "BadRequest",
        "resourceVersion should not be set on objects to be created",
    ),
    (
        "a number for a string",
        "POST",
        MAPS,
        JSON,
        {**MAP, "data": {"a": 1}},
        400,
        "BadRequest",
        "ConfigMap in version",
    ),
    (
        "an unknown field, strictly",
        "POST",
        MAPS + "?fieldValidation=Strict",
        JSON,
        {**MAP, "dota": {}},
        400,
        "BadRequest",
        'unknown field "dota"',
    ),
    (
        "a field twice, strictly",
        "POST",
        MAPS + "?fieldValidation=Strict",
        JSON,
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"},"data":{},"data":{}}',
        400,
        "BadRequest",
        'duplicate field "data"',
    ),
    (
        "a pod without containers",
        "POST",
        PODS,
        JSON,
        {"metadata": {"name": "new"}, "spec": {}},
        422,
        "Invalid",
        "spec.containers: Required value",
    ),
    (
        "a bad quantity",
        "POST",
        PODS,
        JSON,
        {
            "metadata": {"name": "new"},
            "spec": {
                "containers": [
                    {"name": "a", "image": "a", "resources": {"limits": {"cpu": "many"}}}
                ]
            },
        },
        400,
        "BadRequest",
        "quantities must match the regular expression",
    ),
    ("an unknown parameter value", "POST", MAPS + "?dryRun=Some", JSON, MAP, 422, "Invalid", ""),
    ("no limit", "GET", MAPS + "?limit=many", "", b"", 400, "BadRequest", ""),
    (
        "no label selector",
        "GET",
        MAPS + "?labelSelector=a%20%3D%3D%3D%20b",
        "",
        b"",
        400,
        "BadRequest",
        "",
    ),
    (
        "no field selector",
        "GET",
        MAPS + "?fieldSelector=data.x%3D1",
        "",
        b"",
        400,
        "BadRequest",
        '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ),
    ("a forged continue", "GET", MAPS + "?limit=1&continue=junk", "", b"", 400, "BadRequest", ""),
    # Kubernetes does not hold this for the client's fault.
    ("no version", "GET", MAPS + "?watch=1&resourceVersion=x", "", b"", 500, "", "ParseUint"),
    ("a merge patch of nothing", "PATCH", TARGET, MERGE, b"{", 400, "BadRequest", ""),
    ("a patch of the name", "PATCH", TARGET, MERGE, {"metadata": {"name": "b"}}, 400, "", ""),
    ("a list as merge patch", "PATCH", TARGET, MERGE, [], 400, "BadRequest", ""),
    ("an object as JSON patch", "PATCH", TARGET, JSON_PATCH, {}, 400, "BadRequest", ""),
    (
        "a JSON patch of nowhere",
        "PATCH",
        TARGET,
        JSON_PATCH,
        [{"op": "remove", "path": "/data/nothing"}],
        422,
        "Invalid",
        "",
    ),
    (
        "a JSON patch without meaning",
        "PATCH",
        TARGET,
        JSON_PATCH,
        [{"op": "dance", "path": "/data"}],
        422,
        "Invalid",
        "",
    ),
    (
        "a patch to what is not valid",
        "PATCH",
        TARGET,
        STRATEGIC,
        {"data": {"a/b": "c"}},
        422,
        "Invalid",
        "data[a/b]",
    ),
    ("an unknown patch", "PATCH", TARGET, JSON, {}, 415, "UnsupportedMediaType", ""),
    ("an apply without manager", "PATCH", TARGET, APPLY, MAP, 422, "Invalid", "fieldManager"),
    (
        "an update with another name",
        "PUT",
        TARGET,
        JSON,
        MAP,
        400,
        "BadRequest",
        "the name of the object (new) does not match the name on the URL (target)",
    ),
    (
        "an update of an older state",
        "PUT",
        TARGET,
        JSON,
        {**MAP, "metadata": {"name": "target", "resourceVersion": "1"}},
        409,
        "Conflict",
        "the object has been modified",
    ),
    (
        "a deletion of another one",
        "DELETE",
        TARGET,
        JSON,
        {"preconditions": {"uid": "other"}},
        409,
        "Conflict",
        "",
    ),
    ("no options", "DELETE", TARGET, JSON, b"junk", 400, "BadRequest", ""),
    ("an unknown resource", "GET", "/api/v1/namespaces/{ns}/nothings", "", b"", 404, "", ""),
    ("an unknown group", "GET", "/apis/no.such/v1/things", "", b"", 404, "", ""),
    ("an unknown path", "GET", "/no/such/path", "", b"", 404, "", ""),
    ("a method that is not", "PUT", MAPS, JSON, MAP, 405, "MethodNotAllowed", ""),
    ("no such object", "DELETE", MAPS + "/nobody", "", b"", 404, "NotFound", '"nobody" not found'),
    (
        "no such namespace",
        "POST",
        "/api/v1/namespaces/nowhere/configmaps",
        JSON,
        MAP,
        404,
        "NotFound",
        'namespaces "nowhere" not found',
    ),
]

BOMB = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n".encode()
    for n in range(12)
)


@pytest.fixture
def target(api: httpx.Client, namespace: str) -> str:
    """An object that bad requests are aimed at."""
    body = {**MAP, "metadata": {"name": "target"}, "data": {"a": "1"}}
    assert api.post(MAPS.format(ns=namespace), json=body).status_code == 201
    return namespace


def state(api: httpx.Client, namespace: str) -> tuple[str, str]:
    """Return what the namespace holds: objects that no controller writes to meanwhile."""
    maps = api.get(MAPS.format(ns=namespace)).json()["items"]
    return (
        json.dumps(sorted(item["metadata"]["name"] for item in maps)),
        json.dumps(api.get(TARGET.format(ns=namespace)).json()),
    )


def test_bad_requests_are_refused_and_change_nothing(api: httpx.Client, target: str) -> None:
    wrong = []
    for what, method, path, kind, content, code, reason, message in CASES:
        before = state(api, target)
        answer = api.request(
            method,
            path.format(ns=target),
            content=BOMB if content is None else typed(content),
            headers={"Content-Type": kind} if kind else {},
        )
        if answer.status_code != code:
            wrong.append(f"{what}: {answer.status_code} instead of {code}: {answer.text[:200]}")
        elif code == 404 and not reason and not answer.text.startswith("{"):
            assert answer.text == "404 page not found\n", what
        else:
            status = answer.json()
            if reason and status.get("reason") != reason:
                wrong.append(f"{what}: {status.get('reason')} instead of {reason}")
            if message not in status.get("message", ""):
                wrong.append(f"{what}: {status.get('message')}")
            if (status["kind"], status["status"]) != ("Status", "Failure"):
                wrong.append(f"{what}: {answer.text[:200]}")
        if state(api, target) != before:
            wrong.append(f"{what}: changed something")
    assert not wrong, "\n".join(wrong)


def test_a_body_that_is_too_large(api: httpx.Client, target: str) -> None:
    body = {**MAP, "data": {"big": "x" * (3 * 1024 * 1024 + 1)}}
    answer = api.post(MAPS.format(ns=target), json=body)
    assert answer.status_code == 413
    assert answer.json()["reason"] == "RequestEntityTooLarge"
    # One that fits the wire but not the kind is refused by its rules.
    body = {**MAP, "data": {"big": "x" * (1024 * 1024 + 1)}}
    answer = api.post(MAPS.format(ns=target), json=body)
    assert answer.status_code == 422
    assert "may not be more than 1048576 bytes" in answer.json()["message"]
    assert api.get(MAPS.format(ns=target) + "/new").status_code == 404


@pytest.mark.parametrize("depth", [150, 250, 900, 100_000])
@pytest.mark.parametrize("kind", [JSON, MERGE, STRATEGIC, JSON_PATCH, APPLY, YAML])
def test_depth_has_an_end(api: httpx.Client, target: str, kind: str, depth: int) -> None:
    deep = b'{"apiVersion":"v1","kind":"ConfigMap","data":' + b'{"a":' * depth + b"1" + b"}" * depth
    deep += b',"metadata":{"name":"target"}}'
    if kind == JSON_PATCH:
        deep = b'[{"op":"add","path":"/data/x","value":' + deep + b"}]"
    headers = {"Content-Type": kind}
    before = state(api, target)
    if kind in (JSON, YAML):
        answer = api.post(MAPS.format(ns=target), content=deep, headers=headers)
    else:
        path = TARGET.format(ns=target) + ("?fieldManager=test" if kind == APPLY else "")
        answer = api.patch(path, content=deep, headers=headers)
    # Kubernetes answers 500 to an apply whose values have other types.
    of_another_type = "failed to create typed patch object" in answer.text and kind == APPLY
    assert answer.status_code in (400, 422) or of_another_type, answer.text[:300]
    assert state(api, target) == before


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /version HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
    ],
    ids=["words", "version", "length", "chunks", "path", "tls"],
)
def test_bytes_that_are_no_request(playground: Playground, sent: bytes) -> None:
    """The connection is refused or closed; the next one is served."""
    host, port = "127.0.0.1", playground.ports[1]
    with (
        socket.create_connection((host, port), timeout=10) as plain,
        playground.tls().wrap_socket(plain, server_hostname=host) as secure,
    ):
        try:
            secure.sendall(sent)
            answer = secure.recv(4096)
        except (ConnectionError, ssl.SSLError):
            answer = b""
    assert answer == b"" or answer.split(b" ")[1] in (b"400", b"404", b"414", b"431", b"505")
    with playground.client() as client:
        assert client.get("/version").status_code == 200
