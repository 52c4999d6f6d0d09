"""Encoding with the revision left open, and putting it in."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from apimachinery.verbatim import Verbatim
from apiserver.storage import codec


def obj(**more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "metadata": {"name": "a", "uid": "u"}, **more}


def test_the_revision_goes_where_it_was():
    made = {"metadata": {"name": "a", "resourceVersion": "7", "labels": {"x": "y"}}}
    head, tail, _ = codec.encode(made)
    assert head + b"12" + tail == (
        b'{"metadata":{"name":"a","resourceVersion":"12","labels":{"x":"y"}}}'
    )
    assert made["metadata"]["resourceVersion"] == "7", "the caller's object was changed"


def test_an_object_without_metadata_gets_some():
    head, tail, _ = codec.encode({"kind": "X"})
    assert head + b"3" + tail == b'{"kind":"X","metadata":{"resourceVersion":"3"}}'


def test_what_a_parser_would_make_something_else_of_is_not_plain():
    assert codec.encode(obj(data={"n": 1.0, "l": [None, True, "x"]})).plain
    head, tail, plain = codec.encode(obj(data=Verbatim({"n": 1}, '{"n":1.0}')))
    assert not plain
    assert head + b"3" + tail == (
        b'{"apiVersion":"v1","metadata":{"name":"a","uid":"u","resourceVersion":"3"},'
        b'"data":{"n":1.0}}'
    )


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"involvedObject": {"resourceVersion": "41"}},
        {"data": {"text": '"resourceVersion":"41"'}},
        {"items": [{"metadata": {"resourceVersion": "41"}}, {"resourceVersion": "4"}]},
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_only_the_objects_own_revision_is_replaced(more, first):
    made = {**more, **obj()} if first else obj(**more)
    made["metadata"]["resourceVersion"] = "41"
    replaced = orjson.loads(codec.with_revision(orjson.dumps(made), 41, 5000))
    assert replaced == {**made, "metadata": {**made["metadata"], "resourceVersion": "5000"}}


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (obj(a=1, b=2), obj(a=1, b=2), True),
        (obj(a=1, b=2), obj(b=2, a=1), True),
        (obj(a=1, b=2), obj(a=2, b=1), False),
        (obj(a=1), obj(a=1, b=2), False),
        (obj(a=[1, 2]), obj(a=[2, 1]), False),
        (obj(a={"x": 1, "y": 2}), obj(a={"y": 2, "x": 1}), True),
        (obj(a=1), obj(b=1), False),
        (obj(a="1"), obj(a=100), False),
    ],
)
def test_sameness_is_of_content(old, new, same):
    head, tail, _ = codec.encode(old)
    stored = head + b"104" + tail
    assert codec.same_content(*codec.encode(new)[:2], stored, 104, new) is same


def test_attributes_round_trip():
    empty: dict[str, str] = {}
    assert codec.encode_attrs({}, {}) == b""
    assert codec.decode_attrs(b"", empty) == ({}, {})
    stored = codec.encode_attrs({"a": "b"}, {})
    labels, fields = codec.decode_attrs(stored, empty)
    assert labels == {"a": "b"}
    assert fields is empty
