"""JSON Patch: every operation, the habits of Kubernetes' library, refusals."""

import copy

import pytest

from apimachinery.errors import ApiError
from apimachinery.patch import json

DOC = {"a": "1", "list": [1, 2, 3], "deep": {"x": {"y": True}}, "odd/~key": 0}


@pytest.mark.parametrize(
    ("operations", "changes"),
    [
        ([], {}),
        ([{"op": "add", "path": "/b", "value": "2"}], {"b": "2"}),
        ([{"op": "add", "path": "/b"}], {"b": None}),
        ([{"op": "add", "path": "/list/-", "value": 4}], {"list": [1, 2, 3, 4]}),
        ([{"op": "add", "path": "/list/0", "value": 4}], {"list": [4, 1, 2, 3]}),
        ([{"op": "add", "path": "/list/3", "value": 4}], {"list": [1, 2, 3, 4]}),
        ([{"op": "add", "path": "/list/-1", "value": 4}], {"list": [1, 2, 3, 4]}),
        ([{"op": "remove", "path": "/list/-1"}], {"list": [1, 2]}),
        ([{"op": "replace", "path": "/list/1", "value": 9}], {"list": [1, 9, 3]}),
        ([{"op": "replace", "path": "/new", "value": 9}], {"new": 9}),
        ([{"op": "replace", "path": "/deep/x/y", "value": False}], {"deep": {"x": {"y": False}}}),
        ([{"op": "replace", "path": "/odd~1~0key", "value": 1}], {"odd/~key": 1}),
        ([{"op": "copy", "from": "/a", "path": "/b"}], {"b": "1"}),
        ([{"op": "move", "from": "/list/0", "path": "/list/-"}], {"list": [2, 3, 1]}),
        ([{"op": "test", "path": "/a", "value": "1"}], {}),
        ([{"op": "test", "path": "/none", "value": None}], {}),
        ([{"op": "test", "path": "", "value": DOC}], {}),
        (
            [
                {"op": "copy", "from": "/a", "path": "/b"},
                {"op": "move", "from": "/b", "path": "/c~1d"},
            ],
            {"c/d": "1"},
        ),
    ],
)
def test_operations(operations, changes):
    before = copy.deepcopy(DOC)
    assert json.apply(DOC, operations) == before | changes
    assert before == DOC


def test_removing_and_replacing_everything():
    assert "a" not in json.apply(DOC, [{"op": "remove", "path": "/a"}])
    assert json.apply(DOC, [{"op": "replace", "path": "", "value": {"z": 1}}]) == {"z": 1}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "nope", "path": "/a"},
        {"path": "/a"},
        {"op": "add", "value": 1},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "path": "", "value": 1},
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "add", "path": "/a/y", "value": 1},
        {"op": "add", "path": "/list/5", "value": 1},
        {"op": "add", "path": "/list/x", "value": 1},
        {"op": "remove", "path": "/none"},
        {"op": "remove", "path": "/list/3"},
        {"op": "replace", "path": "/list/3", "value": 1},
        {"op": "move", "from": "/none", "path": "/b"},
        {"op": "copy", "path": "/b"},
        {"op": "replace", "path": "", "value": "x"},
        {"op": "replace", "path": "/list/-", "value": 1},
        {"op": "test", "path": "/deep/n", "value": 1.0},
        {"op": "move", "from": "/list", "path": "/list/0"},
        {"op": "test", "path": "/a", "value": "2"},
        {"op": "test", "path": "/deep/x/y", "value": 1},
        {"op": "test", "path": "/none/x", "value": None},
    ],
)
def test_operations_that_do_not_fit(operation):
    with pytest.raises(ApiError) as caught:
        json.apply(DOC, [operation])
    assert caught.value.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "the server rejected our request due to an error in our request",
        "reason": "Invalid",
        "details": {},
        "code": 422,
    }


@pytest.mark.parametrize(
    ("operations", "code", "message"),
    [
        (
            {"op": "add"},
            400,
            (
                "error decoding patch: json: cannot unmarshal object into Go value of type "
                "[]handlers.jsonPatchOp"
            ),
        ),
        (
            ["x"],
            400,
            (
                "error decoding patch: json: cannot unmarshal string into Go value of type "
                "handlers.jsonPatchOp"
            ),
        ),
        (
            [{"op": 1}],
            400,
            (
                "error decoding patch: json: cannot unmarshal number into Go struct field "
                "jsonPatchOp.op of type string"
            ),
        ),
        (
            [{"op": "test", "path": ""}] * 10_001,
            413,
            "The allowed maximum operations in a JSON patch is 10000, got 10001",
        ),
    ],
)
def test_what_is_no_patch(operations, code, message):
    with pytest.raises(ApiError) as caught:
        json.check(operations)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_fields_that_operations_do_not_have_are_told():
    found = json.check([{"op": "test", "path": "", "x": 1}, {"op": "add", "value": {"y": 1}}])
    assert found == ['json patch unknown field "[0].x"']


def test_the_library_itself_says_less():
    with pytest.raises(ApiError, match="cannot unmarshal object into Go value of type jsonpatch"):
        json.check({"op": "add"}, strict=False)
    assert json.check([{"op": 1, "x": 1}], strict=False) == []


def test_null_is_no_operation():
    assert json.check(None) == []
    assert json.apply(DOC, None) == DOC


def test_copies_have_a_limit():
    doc = {"a": ["x" * 1000]}
    double = [{"op": "copy", "from": "/a", "path": "/a/-"}]
    with pytest.raises(ApiError, match="rejected our request"):
        json.apply(doc, double * 30)
