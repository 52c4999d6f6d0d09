"""OpenAPI v2 documents of others: what is taken of them, and what becomes of names that clash."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from apimachinery.schema import openapi, openapi_merging, openapi_v2
from apimachinery.schema.openapi_merging import MAX_DEPTH, MAX_PART, merge, part_of

PREFIX = "/apis/weather.example.com/v1/"
GVK = "x-kubernetes-group-version-kind"
Obj = dict[str, Any]


def ref(name: str, kind: str = "definitions") -> Obj:
    return {"$ref": f"#/{kind}/{name}"}


def answering(*names: str, **more: Any) -> Obj:
    """Return a path whose operation answers with definitions."""
    answers = {str(200 + at): {"description": "", "schema": ref(n)} for at, n in enumerate(names)}
    return {"get": {"responses": answers, **more}}


def document(paths: Obj, **shared: Obj) -> bytes:
    return orjson.dumps({"swagger": "2.0", "paths": paths, **shared})


def taken(raw: bytes) -> Obj:
    part = part_of(raw, PREFIX)
    assert part is not None
    return orjson.loads(part)


def merged(*parts: Obj, **ours: Any) -> Obj:
    made: Obj = {"paths": {}, "definitions": {}, **ours}
    merge(made, [orjson.dumps({"definitions": {}, "parameters": {}, **one}) for one in parts])
    return made


def test_only_a_versions_paths_are_taken_and_what_they_refer_to() -> None:
    found = taken(
        document(
            {
                f"{PREFIX}reports": answering("Report", parameters=[ref("p", "parameters")]),
                "/apis/weather.example.com/v10/reports": answering("Other"),
                "/api/v1/pods": answering("Pod"),
            },
            definitions={
                "Report": {"properties": {"wind": ref("a~1b")}, "type": "object"},
                "a/b": {"items": ref("Report"), "type": "array"},
                **{name: {"type": "object"} for name in ("Other", "Pod")},
            },
            parameters={"p": {"in": "query", "name": "p", "type": "string"}, "q": {}},
        )
    )
    assert list(found["paths"]) == [f"{PREFIX}reports"]
    assert sorted(found["definitions"]) == ["Report", "a/b"]
    assert list(found["parameters"]) == ["p"]


def test_a_name_that_is_taken_becomes_another() -> None:
    one = {"paths": {"/1": answering("A", "B")}}
    one["definitions"] = {"A": {"type": "object", "properties": {"b": ref("B")}}, "B": {"x-1": 1}}
    two = {"paths": {"/2": answering("B")}, "definitions": {"B": {"x-2": 2}, "B_v2": {"x-1": 1}}}
    three = {"paths": {"/3": answering("B")}, "definitions": {"B": {"x-2": 2}}}
    found = merged(one, two, three, definitions={"B": {"x-0": 0}})
    assert found["definitions"] == {
        "A": {"type": "object", "properties": {"b": ref("B_v2")}},
        "B": {"x-0": 0},
        "B_v2": {"x-1": 1},
        "B_v3": {"x-2": 2},
    }
    answers = {path: item["get"]["responses"] for path, item in found["paths"].items()}
    assert [one["schema"] for one in answers["/1"].values()] == [ref("A"), ref("B_v2")]
    assert answers["/2"]["200"]["schema"] == answers["/3"]["200"]["schema"] == ref("B_v3")


def test_definitions_that_differ_in_their_kinds_alone_are_one() -> None:
    kinds = [{"group": "", "version": "v1", "kind": "DeleteOptions"}]
    more = [*kinds, {"group": "weather.example.com", "version": "v1", "kind": "DeleteOptions"}]
    one = {"paths": {}, "definitions": {"D": {"type": "object", GVK: more}}}
    plain = {"paths": {}, "definitions": {"D": {"type": "object"}}}
    ours = {"D": {"type": "object", GVK: kinds}}
    found = merged(one, plain, definitions=ours)
    assert found["definitions"] == {"D": {"type": "object", GVK: more}}


def test_a_path_that_is_served_stays_as_it_is_and_parameters_are_shared() -> None:
    ours = {"/1": answering("A")}
    one = {"paths": {"/1": answering("B")}, "parameters": {"p": {"name": "p"}}}
    two = {
        "paths": {"/2": answering("A", parameters=[ref("p", "parameters")])},
        "parameters": {"p": {"name": "q"}},
    }
    found = merged(one, two, paths=dict(ours))
    assert found["paths"]["/1"] == ours["/1"]
    assert found["paths"]["/2"]["get"]["parameters"] == [ref("p_v2", "parameters")]
    assert found["parameters"] == {"p": {"name": "p"}, "p_v2": {"name": "q"}}


def test_the_finished_documents_have_it_in_both_forms() -> None:
    part = part_of(
        document(
            {f"{PREFIX}reports": answering("Report", parameters=[ref("p", "parameters")])},
            definitions={"Report": {"type": "object", "description": "Of the weather."}},
            parameters={"p": {"in": "header", "name": "p", "type": "string"}},
        ),
        PREFIX,
    )
    assert part is not None
    found = orjson.loads(openapi.v2((), [part]))
    assert found["definitions"]["Report"]["description"] == "Of the weather."
    assert f"{PREFIX}reports" in found["paths"]
    assert b"Of the weather." in openapi.v2_protobuf((), [part])
    assert "parameters" not in orjson.loads(openapi.v2(()))


def nested(depth: int) -> Obj:
    found: Obj = {"type": "object"}
    for _ in range(depth // 2):
        found = {"properties": {"a": found}}
    return found


def with_definition(body: Any) -> bytes:
    return document({f"{PREFIX}reports": answering("R")}, definitions={"R": body})


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"[]", b"{}", b'{"paths": 1}', b"\xff"),
        document({f"{PREFIX}a": 1}),
        document({f"{PREFIX}a": {"get": {"responses": {"200": 5}}}}),
        document({f"{PREFIX}a": {"get": {"parameters": [{"in": "nowhere", "name": "a"}]}}}),
        document({f"{PREFIX}a": {"get": {"operationId": {"a": 1}}}}),
        *map(with_definition, (1, "text", [], {"type": "object", "properties": [1]})),
        *map(with_definition, ({"description": 5}, {"required": True}, {"$ref": {"a": 1}})),
        with_definition(nested(MAX_DEPTH + 10)),
        with_definition({"description": "x" * MAX_PART}),
    ],
)
def test_what_could_not_be_written_is_not_taken(raw: bytes) -> None:
    assert part_of(raw, PREFIX) is None


@pytest.mark.parametrize(
    "body",
    [
        {GVK: 5},
        {GVK: [1, {"kind": []}]},
        {"default": 2**63, "enum": [None, {}]},
        {"type": ["string", "null"], "items": [{}], "additionalProperties": True},
        nested(MAX_DEPTH - 20),
    ],
)
def test_what_makes_no_sense_harms_nobody(body: Obj) -> None:
    part = part_of(with_definition(body), PREFIX)
    assert part is not None
    made: Obj = {"swagger": "2.0", "info": {"title": "", "version": ""}, "paths": {}}
    made["definitions"] = {"R": {GVK: [{"kind": "R"}]}}
    merge(made, [part, part])
    openapi_v2.encode(made)
    assert orjson.dumps(made)


def test_many_kinds_of_one_definition_take_no_time() -> None:
    kinds = [{"kind": str(at)} for at in range(20_000)]
    one = {"paths": {}, "definitions": {"D": {GVK: kinds}}}
    other = {"paths": {}, "definitions": {"D": {GVK: [*reversed(kinds), {"kind": "x"}]}}}
    found = merged(one, other)
    assert len(found["definitions"]["D"][GVK]) == len(kinds) + 1
    assert openapi_merging.MAX_PART < 2**22
