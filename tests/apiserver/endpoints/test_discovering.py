"""What is taken from extension API servers, which may say anything."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
import pytest

from apimachinery.gvk import GroupVersion
from apiserver.auth.user import User
from apiserver.endpoints.aggregation.discovering import discover
from apiserver.endpoints.aggregation.proxying import MAX_WHOLE, user_fields
from apiserver.endpoints.aggregation.remotes import Remote, Server

VERSION = GroupVersion("weather.example.com", "v1")
REPORTS = {"name": "reports", "kind": "Report", "namespaced": True, "verbs": ["get"]}


class Answer:
    def __init__(self, document: Any, asked: dict[str, str]) -> None:
        self.document, self.closed, self.status = document, False, 200
        self.fields: list[tuple[str, str]] = []
        if isinstance(document, Tagged):
            self.document, self.fields = document.document, [("ETag", document.tag)]
            self.status = 304 if asked.get("If-None-Match") == document.tag else document.status

    async def body(self):
        if self.document is ...:
            while True:
                yield b" " * 65536
        yield orjson.dumps(self.document)

    def close(self) -> None:
        self.closed = True


class Tagged(NamedTuple):
    """A document with an ETag."""

    document: Any
    tag: str
    status: int = 200


class Servers:
    """Answers each path with a document; `...` is one without an end."""

    def __init__(self, **documents: Any) -> None:
        self.documents = documents
        self.answers: list[Answer] = []

    async def open(self, server, method, target, fields, body=b"", timeout=0.0):
        name = {"/apis": "groups", "/openapi/v3": "openapi", "/openapi/v2": "v2"}.get(
            target, "legacy"
        )
        self.answers.append(Answer(self.documents.get(name), dict(fields)))
        return self.answers[-1]


async def discovered(**documents: Any) -> Remote:
    remote, servers = Remote("v1.weather", VERSION, Server("ns", "weather")), Servers(**documents)
    await discover(remote, servers)
    assert all(answer.closed for answer in servers.answers)
    return remote


async def test_rows_become_aggregated_discovery():
    remote = await discovered(legacy={"resources": [REPORTS]})
    assert remote.discovered["freshness"] == "Current"
    assert remote.discovered["resources"][0]["responseKind"]["kind"] == "Report"


@pytest.mark.parametrize(
    "documents",
    [
        {"legacy": {"resources": [REPORTS, 1, None, {}, {"name": 2}, {**REPORTS, "verbs": [1]}]}},
        {"legacy": {"resources": [REPORTS]}, "groups": {"items": [1, {"metadata": 2}]}},
        {
            "legacy": {"resources": [REPORTS]},
            "groups": {"items": [{"metadata": {"name": VERSION.group}, "versions": [3]}]},
        },
        {"legacy": {"resources": [REPORTS]}, "groups": [], "openapi": {"paths": []}},
    ],
)
async def test_what_is_no_discovery_is_passed_over(documents):
    remote = await discovered(**documents)
    assert remote.resources == [REPORTS]
    assert remote.discovered["freshness"] == "Current"
    assert remote.openapi is None


@pytest.mark.parametrize("document", [..., [], "text", {"resources": 5}])
async def test_no_document_at_all(document):
    remote = await discovered(legacy=document)
    assert remote.resources == []
    if document is ...:
        assert MAX_WHOLE < 2**23
        assert remote.discovered["freshness"] == "Stale"


def test_different_names_are_different_in_headers():
    names = [dict(user_fields(User(name)))["X-Remote-User"] for name in ("日本", "日木")]
    assert names[0] != names[1]
    assert names[0].encode("latin-1").decode() == "日本"


def swagger(text: str) -> dict[str, Any]:
    item = {"get": {"description": text}}
    return {"paths": {"/apis/weather.example.com/v1/reports": item, "/api": item}}


async def test_openapi_v2_is_read_again_when_it_has_changed():
    remote = Remote("v1.weather", VERSION, Server("ns", "weather"))
    legacy = {"resources": [REPORTS]}

    async def read(document: Any) -> str:
        servers = Servers(legacy=legacy, v2=document)
        await discover(remote, servers)
        assert all(answer.closed for answer in servers.answers)
        return servers.answers[-1].status, remote.openapi_v2.part

    _, first = await read(Tagged(swagger("one"), '"1"'))
    assert orjson.loads(first)["paths"] == {
        "/apis/weather.example.com/v1/reports": {"get": {"description": "one"}}
    }
    assert await read(Tagged(swagger("unseen"), '"1"')) == (304, first)
    # A server that says nothing, or nothing of use, is taken to mean what it said before.
    for broken in (Tagged(swagger("x"), '"x"', 500), Tagged({}, '"x"', 404), ..., [], "text"):
        assert (await read(broken))[1] == first
    _, second = await read(swagger("two"))
    assert b"two" in second
    assert remote.openapi_v2.etag == ""
