"""Every refusal as clients read it: code, reason, details and causes, as Kubernetes writes them.

Follows k8s.io/apimachinery pkg/api/errors: which reasons have details, and what stands in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from apimachinery.errors import (
    MODIFIED,
    ApiError,
    Conflict,
    Expired,
    Gone,
    InternalError,
    MethodNotAllowed,
    Overloaded,
    ServiceUnavailable,
    Timeout,
    TooManyRequests,
    Unauthorized,
)
from apimachinery.gvk import GroupResource
from tests.apiserver.endpoints.support import Client, config_map

CORE = "/api/v1/namespaces/default"
MAPS = f"{CORE}/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
_ABSENT = object()


@dataclass(frozen=True)
class Case:
    """A request, and the Status that it comes to; details are left out where there are none."""

    code: int
    reason: str
    message: str
    method: str = "GET"
    path: str = MAPS
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    details: Any = _ABSENT
    token: str | None = None


UNKNOWN_TYPE = (
    "the body of the request was in an unknown format - accepted media types include: "
    "application/json, application/yaml, application/vnd.kubernetes.protobuf"
)
CASES = {
    "bad request": Case(
        400,
        "BadRequest",
        'invalid timeout specified in the request URL - time: invalid duration "x"',
        path=f"{MAPS}?timeout=x",
    ),
    "unauthorized": Case(401, "Unauthorized", "Unauthorized", token="wrong"),
    "forbidden": Case(
        403,
        "Forbidden",
        'configmaps "a" is forbidden: User "system:anonymous" cannot get resource "configmaps" in '
        'API group "" in the namespace "default"',
        path=f"{MAPS}/a",
        details={"name": "a", "kind": "configmaps"},
        token="",
    ),
    "a forbidden path": Case(
        403,
        "Forbidden",
        'forbidden: User "system:anonymous" cannot get path "/metrics"',
        path="/metrics",
        details={},
        token="",
    ),
    "no such object": Case(
        404,
        "NotFound",
        'deployments.apps "a" not found',
        path=f"{DEPLOYMENTS}/a",
        details={"name": "a", "group": "apps", "kind": "deployments"},
    ),
    "no such path": Case(
        404,
        "NotFound",
        "the server could not find the requested resource",
        path=f"{CORE}/things",
        details={},
    ),
    "no such method": Case(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
        "PUT",
        body=config_map("a"),
        details={},
    ),
    "not acceptable": Case(
        406,
        "NotAcceptable",
        "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf, application/json;stream=watch, "
        "application/vnd.kubernetes.protobuf;stream=watch",
        headers={"accept": "text/html"},
        details={},
    ),
    "already there": Case(
        409,
        "AlreadyExists",
        'configmaps "there" already exists',
        "POST",
        body=config_map("there"),
        details={"name": "there", "kind": "configmaps"},
    ),
    "changed meanwhile": Case(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on configmaps "there": {MODIFIED}',
        "PUT",
        f"{MAPS}/there",
        {"metadata": {"name": "there", "resourceVersion": "1"}},
        details={"name": "there", "kind": "configmaps"},
    ),
    "too large": Case(
        413,
        "RequestEntityTooLarge",
        "Request entity too large: limit is 3145728",
        "POST",
        body=b" " * (3 * 1024 * 1024 + 1),
    ),
    "of no known type": Case(
        415,
        "UnsupportedMediaType",
        UNKNOWN_TYPE,
        "POST",
        body=b"x",
        headers={"content-type": "text/plain"},
    ),
    "invalid": Case(
        422,
        "Invalid",
        'ConfigMap "a" is invalid: data[a b]: Invalid value: "a b": a valid config key must '
        "consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
        "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        "POST",
        body={"metadata": {"name": "a"}, "data": {"a b": ""}},
        details={
            "name": "a",
            "kind": "ConfigMap",
            "causes": [
                {
                    "reason": "FieldValueInvalid",
                    "message": 'Invalid value: "a b": a valid config key must consist of '
                    "alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
                    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
                    "field": "data[a b]",
                }
            ],
        },
    ),
    "unavailable": Case(
        503,
        "ServiceUnavailable",
        "the cluster's network cannot be reached",
        path="/api/v1/nodes/n/proxy/",
    ),
    "not in time": Case(
        504,
        "Timeout",
        "Timeout: Too large resource version: 99999, current: {revision}",
        path=f"{MAPS}?resourceVersion=99999",
        details={
            "causes": [
                {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
            ],
            "retryAfterSeconds": 1,
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_statuses(client: Client, name: str):
    case = CASES[name]
    await client.post(MAPS, config_map("there"))
    await client.post("/api/v1/nodes", {"metadata": {"name": "n"}})
    if case.token is not None:
        client.token = case.token
    found = await client.request(case.method, case.path, case.body, case.headers)
    expected: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": case.message.format(revision=client.api.store.revision)
        if "{revision}" in case.message
        else case.message,
        "reason": case.reason,
        "code": case.code,
    }
    if case.details is not _ABSENT:
        expected["details"] = case.details
    assert (found.status, found.json()) == (case.code, expected)
    assert found.headers["content-type"] == "application/json"
    assert found.headers["cache-control"] == "no-cache, private"
    assert found.headers["audit-id"]
    retry = (expected.get("details") or {}).get("retryAfterSeconds")
    assert found.headers.get("retry-after") == (str(retry) if retry else None)
    assert "www-authenticate" not in found.headers


PODS = GroupResource("", "pods")


@pytest.mark.parametrize(
    ("error", "code", "reason", "details"),
    [
        (Unauthorized(), 401, "Unauthorized", None),
        (MethodNotAllowed(PODS, "patch"), 405, "MethodNotAllowed", {"kind": "pods"}),
        (Conflict(PODS, "p", MODIFIED), 409, "Conflict", {"name": "p", "kind": "pods"}),
        (Gone("gone"), 410, "Gone", None),
        (Expired("old"), 410, "Expired", None),
        (TooManyRequests("wait", 10), 429, "TooManyRequests", {"retryAfterSeconds": 10}),
        (Overloaded(), 429, "TooManyRequests", {"retryAfterSeconds": 1}),
        (
            InternalError("why"),
            500,
            "InternalError",
            {"causes": [{"message": "why"}]},
        ),
        (ServiceUnavailable("away"), 503, "ServiceUnavailable", None),
        (Timeout("late", details={}), 504, "Timeout", {}),
    ],
)
def test_reasons_and_their_details(error: ApiError, code, reason, details):
    status = error.status()
    assert (status["code"], status["reason"], status.get("details")) == (code, reason, details)
    assert list(status)[:4] == ["kind", "apiVersion", "metadata", "status"]


async def test_head_is_a_refusal_without_a_body(client: Client):
    found = await client.request("HEAD", MAPS)
    assert (found.status, found.body) == (405, b"")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("OPTIONS", "/api/v1/pods", 405),
        ("PUT", "/api/v1/pods", 405),
        ("DELETE", "/api/v1/pods", 405),
        ("DELETE", "/api/v1/pods?fieldSelector=metadata.name%3Da", 405),
        ("PUT", "/api/v1/pods/a", 404),
        ("GET", "/api/v1/pods/a", 404),
        ("FOO", MAPS, 405),
        ("PATCH", MAPS, 405),
        ("POST", f"{MAPS}/a", 405),
    ],
)
async def test_paths_that_have_other_methods(client: Client, method, path, code):
    body = config_map("a") if method in ("PUT", "POST", "PATCH") else None
    assert (await client.request(method, path, body)).status == code
