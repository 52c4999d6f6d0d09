"""Objects of every kind with whatever their types allow, put over a good one.

All fields that a type has are drawn, however deep, with values that some rule knows and others
that none does. Whatever comes of it is no fault of the server, and what is refused changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apimachinery.schema import types
from apimachinery.schema.table import Schema
from apiserver.registry.catalog import RESOURCES
from tests.apiserver.endpoints.support import Client, make_api
from tests.contracts.samples import SAMPLES
from tests.contracts.test_resources import Kind

EXAMPLES = 20
# Types that contain themselves end here.
DEEPEST = 9
NUMBERS = [-1, 0, 1, 2, 80, 255, 65_536, 2**31 - 1]
TEXTS = [
    "", "a", "A b", "1", "-1", "10.0.0.1", "fd00::1", "10.0.0.0/8", "a.example.com", "x/y", "/etc",
    "é", "..", "*", "self.a", "true", "Always", "Never", "TCP", "ClusterIP", "None", "In", "Exists",
    "pods", "cpu", "2026-01-02T03:04:05Z", "%", "{", "a=b", "0" * 64, "system:x",
]  # fmt: skip
SCALARS = {
    "string": st.sampled_from(TEXTS),
    "boolean": st.booleans(),
    "number": st.sampled_from([-1.5, 0, 1, 2.5]),
    "integer": st.sampled_from(NUMBERS),
    "quantity": st.sampled_from(["0", "-1", "1", "500m", "2Gi", "1e30", "0.0000001"]),
    "int-or-string": st.sampled_from([*NUMBERS, *TEXTS, "25%", "101%"]),
    "time": st.sampled_from(["2026-01-02T03:04:05Z", "1970-01-01T00:00:00Z"]),
    "micro-time": st.just("2026-01-02T03:04:05.000006Z"),
    "bytes": st.sampled_from(["", "AQID", "LS0tLS0="]),
    "any": st.sampled_from([{"a": 1}, {}, "x", 1, None]),
}


def values(schema: Schema, depth: int = 0) -> st.SearchStrategy[Any]:
    """Return what values of a type may be; less and less of it the deeper it is."""
    if schema.kind in SCALARS:
        return SCALARS[schema.kind]
    if schema.kind == "array":
        return st.lists(values(schema.item, depth + 1), max_size=2)
    if schema.kind == "map":
        return st.dictionaries(SCALARS["string"], values(schema.item, depth + 1), max_size=2)
    return st.deferred(lambda: objects(schema, depth))


@st.composite
def objects(draw: st.DrawFn, schema: Schema, depth: int) -> dict[str, Any]:
    if depth > DEEPEST or not schema.fields:
        return {}
    names = draw(st.lists(st.sampled_from(sorted(schema.fields)), unique=True, max_size=4))
    return {name: draw(values(schema.fields[name].schema, depth + 1)) for name in names}


def over(good: Any, drawn: Any) -> Any:
    """Put what was drawn over a good value; the parts of a good list each get some of it."""
    if isinstance(good, dict) and isinstance(drawn, dict):
        return good | {key: over(good.get(key), value) for key, value in drawn.items()}
    if isinstance(good, list) and isinstance(drawn, list) and good and drawn:
        return [over(good[0], drawn[0]), *drawn[1:]]
    return drawn


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.mark.parametrize("key", sorted(SAMPLES))
def test_no_object_is_a_fault(runner: asyncio.Runner, key: str):
    (resource,) = [one for one in RESOURCES if one.key == key]
    kind = runner.run(_kind(resource))
    schema = types().type_of(resource.kind)
    refused = 0

    @given(values(schema), values(schema))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(first: Any, second: Any) -> None:
        nonlocal refused
        refused += runner.run(_life(kind, first, second))

    send()
    assert refused, "nothing that was drawn broke a rule"


async def _kind(resource: Any) -> Kind:
    kind = Kind(await make_api(), resource)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    await Client(kind.api).post("/api/v1/namespaces/default/serviceaccounts", account)
    return kind


async def _life(kind: Kind, first: dict[str, Any], second: dict[str, Any]) -> int:
    """Make an object, change it, change its status, show it, delete it; count the refusals."""
    good = kind.body()
    fixed = {"apiVersion": good["apiVersion"], "kind": good["kind"]}
    body = over(good, first) | fixed
    body["metadata"] = over(good["metadata"], first.get("metadata") or {}) | {"name": kind.name}
    refusals = await _send(kind, "POST", kind.path, body)
    if refusals:
        refusals += await _send(kind, "POST", kind.path, good)
    stored = await kind.client.get(kind.one)
    if stored.status == 200:
        for path in (kind.one, f"{kind.one}/status"):
            changed = over(stored.json(), second) | fixed
            changed["metadata"] = stored.json()["metadata"]
            refusals += await _send(kind, "PUT", path, changed)
            refusals += await _send(kind, "PATCH", path, second | fixed)
    table = await kind.client.get(kind.path, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert table.status == 200, table.body
    await _remove(kind)
    return refusals


async def _send(kind: Kind, method: str, path: str, body: Any) -> int:
    before = kind.api.store.revision
    type_ = "application/merge-patch+json" if method == "PATCH" else "application/json"
    request = kind.client.request(method, path, body, {"content-type": type_})
    answer = await asyncio.wait_for(request, 10)
    said = f"{method} {path} {body}: {answer.status} {answer.body[:300]!r}"
    assert answer.status < 500, said
    if answer.status >= 400:
        assert kind.api.store.revision == before, said
    return answer.status >= 400


async def _remove(kind: Kind) -> None:
    await kind.delete({"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
    left = await kind.get()
    if left.status == 200 and left.json()["metadata"].get("finalizers"):
        await kind.patch("application/merge-patch+json", {"metadata": {"finalizers": None}})
