"""Requests made up from the served OpenAPI, good ones and bad ones, for each operation there is.

Whatever comes: no answer is a fault of the server, none takes for ever, and what is refused
changes nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlencode

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from apiserver.registry.catalog import Catalog
from tests.apiserver.endpoints.support import Client, make_api

# Requests for each operation and mode. Schemas are cut off below this depth: what lies deeper has
# its type and no more, so that a pod's does not take minutes to make examples of.
EXAMPLES, DEPTH = 2, 3
DEADLINE = 10.0
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
PASSED_ON = re.compile("/(proxy|exec|attach|portforward)")
_KEPT = ("type", "format", "nullable")
# Kubernetes itself answers so: a revision that is no number, or has not come yet; a binding
# without a good target.
_ITS_OWN = (
    b'"message":"resourceVersion: Invalid value: ',
    b"Too large resource version",
    b'"message":"target.',
)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


def documents() -> list[str]:
    """Return the path of each document that is served."""
    kinds = [served.kind for served in Catalog().served()]
    return sorted({f"{'apis' if kind.group else 'api'}/{kind.api_version}" for kind in kinds})


@pytest.mark.parametrize("group_version", documents())
def test_no_request_is_a_fault(runner: asyncio.Runner, group_version: str):
    client = runner.run(_client())
    document = runner.run(client.get(f"/openapi/v3/{group_version}")).json()
    schema = schemathesis.openapi.from_dict(_shallow(document))
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        # Nothing about a proxied request can be wrong: whatever is sent goes on as it is.
        modes = MODES[:1] if PASSED_ON.search(operation.path) else MODES
        for mode in modes:
            tried += _try(runner, client, operation, mode)
    assert tried >= len(document["paths"])


async def _client() -> Client:
    return Client(await make_api())


def _try(runner: asyncio.Runner, client: Client, operation: Any, mode: GenerationMode) -> int:
    """Send some requests of an operation; return how many they were."""
    sent = 0

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Any) -> None:
        nonlocal sent
        sent += 1
        runner.run(_check(client, case))

    send()
    return sent


async def _check(client: Client, case: Any) -> None:
    query = dict(case.query or {})
    if case.method == "GET":
        query["timeoutSeconds"] = "-1"  # a watch shows what there is, and ends
    path = f"{unquote(case.formatted_path)}?{urlencode(query, doseq=True, errors='replace')}"
    headers = {"content-type": case.media_type or "application/json"}
    before = client.api.store.revision
    answer = await asyncio.wait_for(
        client.request(case.method, path, _body(case), headers), DEADLINE
    )
    said = f"{case.method} {path}: {answer.status} {answer.body[:300]!r}"
    if answer.status >= 500:
        assert any(words in answer.body for words in _ITS_OWN), said
    if answer.status >= 400:
        assert client.api.store.revision == before, said


def _body(case: Any) -> bytes | None:
    if isinstance(case.body, (NotSet, bytes)):
        return None if isinstance(case.body, NotSet) else case.body
    try:
        return orjson.dumps(case.body)
    except TypeError:  # text that UTF-8 cannot say
        return repr(case.body).encode("utf-8", "surrogateescape")


def _shallow(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without references, its schemas cut off at DEPTH."""
    schemas = document["components"]["schemas"]
    for path in document["paths"].values():
        for operation in (path[method] for method in path if method != "parameters"):
            operation["responses"] = {"200": {"description": "OK"}}
            for media in operation.get("requestBody", {}).get("content", {}).values():
                media["schema"] = _cut(media["schema"], schemas, DEPTH)
    return document | {"components": {}}


def _cut(schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> dict[str, Any]:
    if "allOf" in schema:
        return _cut(schema["allOf"][0], schemas, depth)
    if "$ref" in schema:
        return _cut(schemas[schema["$ref"].rpartition("/")[2]], schemas, depth)
    made = {key: schema[key] for key in _KEPT if key in schema}
    if depth == 0:
        return made
    if "properties" in schema:
        made["properties"] = {
            name: _cut(each, schemas, depth - 1) for name, each in schema["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            made[key] = _cut(schema[key], schemas, depth - 1)
    return made
