"""Strategic merge patch: lists by key, directives, order, refusals, on real kinds."""

import copy

import pytest

from apimachinery.errors import ApiError
from apimachinery.gvk import APPS_V1, CORE_V1
from apimachinery.patch import strategic
from apimachinery.schema import types

DEPLOYMENT = types().type_of(APPS_V1.kind("Deployment"))
POD = types().type_of(CORE_V1.kind("Pod"))


def deployment(*containers, **spec):
    return {"spec": {"template": {"spec": {"containers": list(containers)}}, **spec}}


def container(name, **fields):
    return {"name": name, "image": "x", **fields}


ONE = container("one", env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
TWO = container("two")


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ([{"name": "two", "image": "z"}], [ONE, TWO | {"image": "z"}]),
        ([{"name": "new", "image": "n"}], [container("new", image="n"), ONE, TWO]),
        ([{"name": "two", "$patch": "delete"}], [ONE]),
        ([{"name": "absent", "$patch": "delete"}], [ONE, TWO]),
        ([{"$patch": "replace"}, {"name": "only"}], [{"name": "only"}]),
        (
            [{"name": "one", "env": [{"name": "B", "$patch": "delete"}, {"name": "C"}]}],
            [ONE | {"env": [{"name": "C"}, {"name": "A", "value": "1"}]}, TWO],
        ),
        (
            [{"name": "one", "env": [{"name": "A", "value": None, "valueFrom": {}}]}],
            [
                ONE | {"env": [{"name": "A", "valueFrom": {}}, {"name": "B", "value": "2"}]},
                TWO,
            ],
        ),
        ([{"name": "two", "image": "z"}, {"name": "one"}], [TWO | {"image": "z"}, ONE]),
        ([{"name": "one", "command": ["a"]}], [ONE | {"command": ["a"]}, TWO]),
        ([{"name": "one", "env": None}], [container("one"), TWO]),
    ],
)
def test_lists_merge_by_key(patch, expected):
    doc = deployment(ONE, TWO)
    before = copy.deepcopy(doc)
    result = strategic.apply(doc, deployment(*patch), DEPLOYMENT)
    assert result == deployment(*expected)
    assert doc == before


def test_ports_merge_by_container_port():
    doc = deployment(container("a", ports=[{"containerPort": 80}, {"containerPort": 81}]))
    patch = deployment({"name": "a", "ports": [{"containerPort": 81, "name": "x"}]})
    ports = strategic.apply(doc, patch, DEPLOYMENT)["spec"]["template"]["spec"]["containers"][0]
    assert ports["ports"] == [{"containerPort": 80}, {"containerPort": 81, "name": "x"}]


def ordered(order, *containers):
    spec = {"$setElementOrder/containers": [{"name": name} for name in order]}
    if containers:
        spec["containers"] = list(containers)
    return {"spec": {"template": {"spec": spec}}}


@pytest.mark.parametrize(
    ("patch", "names"),
    [
        (ordered(["two", "one"]), ["two", "one"]),
        (ordered(["new", "one"], container("new")), ["new", "one", "two"]),
        (ordered(["one", "new"], container("new")), ["one", "new", "two"]),
        (ordered(["one"], {"name": "two", "$patch": "delete"}), ["one"]),
    ],
)
def test_the_order_of_elements(patch, names):
    result = strategic.apply(deployment(ONE, TWO), patch, DEPLOYMENT)
    assert [c["name"] for c in result["spec"]["template"]["spec"]["containers"]] == names


def test_maps_replace_retain_and_delete():
    doc = deployment(ONE, strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}})
    retain = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic.apply(doc, retain, DEPLOYMENT)["spec"]["strategy"] == {"type": "Recreate"}
    replace = {"spec": {"strategy": {"$patch": "replace", "type": "X"}}}
    assert strategic.apply(doc, replace, DEPLOYMENT)["spec"]["strategy"] == {"type": "X"}
    delete = {"spec": {"strategy": {"$patch": "delete"}}}
    assert strategic.apply(doc, delete, DEPLOYMENT)["spec"]["strategy"] == {}


def test_primitive_lists_merge_and_shrink():
    pod = {"metadata": {"finalizers": ["a"]}}
    more = strategic.apply(pod, {"metadata": {"finalizers": ["b"]}}, POD)
    assert more["metadata"]["finalizers"] == ["b", "a"]
    less = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a", "b"]}}
    assert strategic.apply(more, less, POD)["metadata"]["finalizers"] == []
    assert strategic.apply({"metadata": {}}, less, POD) == {"metadata": {}}


def test_lists_without_a_strategy_are_replaced():
    pod = {"spec": {"tolerations": [{"key": "a"}], "containers": []}}
    patch = {"spec": {"tolerations": [{"key": "b"}]}}
    assert strategic.apply(pod, patch, POD)["spec"]["tolerations"] == [{"key": "b"}]


def test_maps_of_strings_and_new_parts():
    doc = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    patch = {"metadata": {"labels": {"a": None, "c": "3"}}, "spec": {"x": None, "containers": []}}
    assert strategic.apply(doc, patch, POD) == {
        "metadata": {"labels": {"b": "2", "c": "3"}},
        "spec": {"containers": []},
    }


def test_an_unknown_type_merges_as_json():
    doc = {"a": {"b": [1, 2], "c": 1}}
    assert strategic.apply(doc, {"a": {"b": [3]}}, None) == {"a": {"b": [3], "c": 1}}


@pytest.mark.parametrize(
    ("patch", "code", "message"),
    [
        (
            deployment({"image": "x"}),
            500,
            "map: map[image:x] does not contain declared merge key: name",
        ),
        (
            deployment({"$patch": "delete"}),
            500,
            "map: map[$patch:delete] does not contain declared merge key: name",
        ),
        (
            {"spec": {"strategy": {"$retainKeys": ["x"], "type": "a"}}},
            400,
            "invalid patch format of retainKeys",
        ),
        (
            {"spec": {"strategy": {"$patch": "odd"}}},
            500,
            "unknown patch type: odd in map: map[$patch:odd]",
        ),
        (
            {"metadata": {"$deleteFromPrimitiveList": ["a"]}},
            400,
            "invalid patch format of primitive list",
        ),
        (
            ordered(["two"], {"name": "one"}),
            500,
            (
                "The order in patch list:\n[map[name:one]]\n doesn't match $setElementOrder list:\n"
                "[map[name:two]]\n"
            ),
        ),
        ([], 400, None),
    ],
)
def test_refusals(patch, code, message):
    doc = deployment(ONE, TWO, strategy={"type": "RollingUpdate"}) | {"metadata": {}}
    with pytest.raises(ApiError) as caught:
        strategic.apply(doc, patch, DEPLOYMENT)
    assert caught.value.code == code
    if message:
        assert caught.value.message == message
    if code == 500:
        assert "reason" not in caught.value.status()
