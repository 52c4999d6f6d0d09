"""JSON Merge Patch: the examples of the RFC, and its laws."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apimachinery.errors import BadRequest
from apimachinery.patch import merge

JSON = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
# The machine that runs this may be busy with other things.
QUICK = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
OBJECTS = st.dictionaries(st.sampled_from("abcd"), JSON, max_size=4)


@pytest.mark.parametrize(
    ("doc", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_examples(doc, patch, expected):
    before = copy.deepcopy(doc)
    assert merge.apply(doc, patch) == expected
    assert doc == before


def test_other_values_are_no_patch():
    with pytest.raises(BadRequest, match="cannot unmarshal array into Go value of type map"):
        merge.check([])
    merge.check(None)


@pytest.mark.parametrize("patch", [None, 1, "x", True])
def test_the_library_refuses_scalars(patch):
    with pytest.raises(BadRequest, match="Invalid JSON Patch"):
        merge.apply({}, patch)


def test_nulls_go_where_there_was_no_object():
    patch = {"a": {"b": None, "c": [None, {"d": None}]}, "x": {"y": [{"z": None}]}}
    doc = {"a": "text", "x": {}}
    assert merge.apply(doc, patch) == {"a": {"c": [None, {}]}, "x": {"y": [{}]}}


def test_a_list_that_replaces_a_part_of_an_object_is_taken_as_it_is():
    assert merge.apply({"a": {"b": 1}}, {"a": [{"c": None}]}) == {"a": [{"c": None}]}


@QUICK
@given(OBJECTS, OBJECTS)
def test_a_patch_applied_twice_is_applied_once(doc, patch):
    once = merge.apply(doc, patch)
    assert merge.apply(once, patch) == once


@QUICK
@given(OBJECTS)
def test_the_empty_patch_and_the_whole_document_change_nothing(doc):
    assert merge.apply(doc, {}) == doc
    assert merge.apply(doc, doc) == doc
