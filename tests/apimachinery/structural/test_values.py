"""Pruning, defaults, lists, embedded objects: what a schema makes of values."""

import pytest

from apimachinery.structural import defaulting, embedded
from apimachinery.structural.listtypes import list_errors
from apimachinery.structural.pruning import pruned
from apimachinery.structural.schema import Structural, has_rules

TEXT = {"type": "string"}
ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def obj(**properties):
    return {"type": "object", "properties": properties}


def many(items, **extra):
    return {"type": "array", "items": items, **extra}


@pytest.mark.parametrize(
    ("schema", "value", "kept", "unknown"),
    [
        (obj(a=TEXT), {"a": "x", "b": 1}, {"a": "x"}, ["b"]),
        (obj(a=obj(b=TEXT)), {"a": {"b": "x", "c": {}}}, {"a": {"b": "x"}}, ["a.c"]),
        (obj(l=many(obj(a=TEXT))), {"l": [{"a": "1", "z": 1}]}, {"l": [{"a": "1"}]}, ["l[0].z"]),
        (
            {"type": "object", "additionalProperties": obj(a=TEXT)},
            {"k": {"a": "x", "b": 1}}, {"k": {"a": "x"}}, ["k.b"],
        ),
        ({"type": "object", "additionalProperties": True}, {"k": 1}, {"k": 1}, []),
        (ANY, {"k": {"a": [1]}}, {"k": {"a": [1]}}, []),
        # Named parts of what is open are pruned by their own schema.
        (ANY | {"properties": {"s": obj(a=TEXT)}}, {"s": {"b": 1}, "x": 1}, {"s": {}, "x": 1},
         ["s.b"]),
        (obj(e={**obj(), "x-kubernetes-embedded-resource": True}),
         {"e": {"apiVersion": "v1", "kind": "A", "metadata": {"x": 1}, "spec": {}}},
         {"e": {"apiVersion": "v1", "kind": "A", "metadata": {"x": 1}}}, ["e.spec"]),
        (obj(b=TEXT), {"z": 1, "a": 1}, {}, ["a", "z"]),
    ],
)  # fmt: skip
def test_pruning(schema, value, kept, unknown):
    assert pruned(value, Structural(schema)) == (kept, unknown)


def test_a_pruned_value_is_private():
    value = {"a": {"k": [{"x": 1}]}}
    copy, _ = pruned(value, Structural(obj(a=ANY)))
    copy["a"]["k"][0]["x"] = 2
    assert value == {"a": {"k": [{"x": 1}]}}


RED = {"type": "string", "default": "red"}


@pytest.mark.parametrize(
    ("schema", "value", "filled"),
    [
        (obj(c=RED), {}, {"c": "red"}),
        (obj(c=RED), {"c": "blue"}, {"c": "blue"}),
        (obj(c=RED), {"c": None}, {"c": "red"}),
        (obj(c=RED | {"nullable": True}), {"c": None}, {"c": None}),
        (obj(c=TEXT), {"c": None}, {}),
        (obj(c=TEXT | {"nullable": True}), {"c": None}, {"c": None}),
        # Defaults reach into what is there, and into what defaults made.
        (obj(s=obj(c=RED)), {}, {}),
        (obj(s=obj(c=RED)), {"s": {}}, {"s": {"c": "red"}}),
        (obj(s=obj(c=RED) | {"default": {}}), {}, {"s": {"c": "red"}}),
        (obj(l=many(obj(c=RED))), {"l": [{}, {"c": "b"}]}, {"l": [{"c": "red"}, {"c": "b"}]}),
        ({"type": "object", "additionalProperties": obj(c=RED)}, {"k": {}}, {"k": {"c": "red"}}),
        ({"type": "object", "additionalProperties": RED}, {"k": None}, {"k": "red"}),
        (obj(l=many(RED)), {"l": [None, "b"]}, {"l": ["red", "b"]}),
    ],
)
def test_defaults(schema, value, filled):
    defaulting.fill(value, Structural(schema))
    assert value == filled


def test_defaults_are_not_shared():
    schema = Structural(obj(s={"type": "object", "default": {"a": []}, **ANY}))
    one, other = {}, {}
    defaulting.fill(one, schema)
    defaulting.fill(other, schema)
    one["s"]["a"].append(1)
    assert other == {"s": {"a": []}}


def keyed(*keys):
    fields = dict.fromkeys(keys, TEXT)
    extra = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}
    return many(obj(**fields), **extra)


@pytest.mark.parametrize(
    ("schema", "items", "errors"),
    [
        (many(TEXT, **{"x-kubernetes-list-type": "set"}), ["a", "b", "a", "a"],
         ['l[2]: Duplicate value: "a"']),
        (keyed("n"), [{"n": "a"}, {"n": "b"}], []),
        (keyed("n"), [{"n": "a"}, {"n": "a"}], ['l[1]: Duplicate value: {"n":"a"}']),
        (keyed("n", "p"), [{"n": "a", "p": "1"}, {"n": "a", "p": "2"}], []),
        (keyed("n"), [{"n": "a"}, 3],
         ["l[1]: Invalid value: 3: must be an object for an array of list-type map"]),
        (many(TEXT), ["a", "a"], []),
    ],
)  # fmt: skip
def test_sets_and_maps(schema, items, errors):
    assert [str(e) for e in list_errors({"l": items}, Structural(obj(l=schema)))] == errors


@pytest.mark.parametrize(
    ("value", "errors"),
    [
        ({"apiVersion": "v1", "kind": "A", "metadata": {"name": "x"}}, []),
        ({}, ["t.apiVersion: Required value", "t.kind: Required value"]),
        ({"apiVersion": 1, "kind": "A"}, ["t.apiVersion: Invalid value: 1: must be a string"]),
        ({"apiVersion": "a/b/c", "kind": "A"},
         ['t.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c']),
    ],
)  # fmt: skip
def test_embedded_objects(value, errors):
    schema = Structural(obj(t=ANY | {"x-kubernetes-embedded-resource": True}), root=True)
    assert [str(e) for e in embedded.embedded_errors({"t": value}, schema)] == errors


def test_metadata_of_embedded_objects_is_checked():
    schema = Structural(obj(t=ANY | {"x-kubernetes-embedded-resource": True}), root=True)
    value = {"t": {"apiVersion": "v1", "kind": "A", "metadata": {"labels": {"a b": "c"}}}}
    (error,) = embedded.embedded_errors(value, schema)
    assert error.path == "t.metadata.labels"


def test_rules_are_found_wherever_they_stand():
    rule = {"x-kubernetes-validations": [{"rule": "true"}]}
    assert has_rules(obj(a=many(TEXT | rule)))
    assert has_rules({"type": "object", "additionalProperties": rule})
    assert not has_rules(obj(a=TEXT))
