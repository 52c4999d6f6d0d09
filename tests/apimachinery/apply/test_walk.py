"""Walking values: what is claimed, what is new, what changed, merging and removing."""

import copy

import pytest

from apimachinery.apply import checking, fieldset, walk
from apimachinery.apply.plans import plan_of
from apimachinery.gvk import APPS_V1, CORE_V1
from apimachinery.schema import types

POD = plan_of(types().type_of(CORE_V1.kind("Pod")))
SERVICE = plan_of(types().type_of(CORE_V1.kind("Service")))
DEPLOYMENT = plan_of(types().type_of(APPS_V1.kind("Deployment")))
UNKNOWN = plan_of(None)

C = 'k:{"name":"c"}'


def pod(**container):
    return {"spec": {"containers": [{"name": "c", **container}]}}


@pytest.mark.parametrize(
    ("value", "claims"),
    [
        ({}, {}),
        ({"spec": {}}, {"f:spec": {}}),
        ({"spec": None}, {"f:spec": {}}),
        ({"spec": {"containers": []}}, {}),
        (pod(), {"f:spec": {"f:containers": {C: {".": {}, "f:name": {}}}}}),
        (
            pod(ports=[{"containerPort": 80}]),
            {
                "f:spec": {
                    "f:containers": {
                        C: {
                            ".": {},
                            "f:name": {},
                            "f:ports": {
                                'k:{"containerPort":80,"protocol":"TCP"}': {
                                    ".": {},
                                    "f:containerPort": {},
                                }
                            },
                        }
                    }
                }
            },
        ),
        (
            {"metadata": {"labels": {"a": "1"}, "finalizers": ["x"]}},
            {"f:metadata": {"f:labels": {"f:a": {}}, "f:finalizers": {'v:"x"': {}}}},
        ),
        ({"spec": {"tolerations": [{"key": "a"}]}}, {"f:spec": {"f:tolerations": {}}}),
    ],
)
def test_what_a_configuration_claims(value, claims):
    assert walk.field_set(POD, value) == claims


def test_without_a_schema_every_map_is_a_member():
    value = {"spec": {"size": 1, "list": [1], "deep": {"x": {}}}}
    assert walk.field_set(UNKNOWN, value) == {
        "f:spec": {
            ".": {},
            "f:size": {},
            "f:list": {},
            "f:deep": {".": {}, "f:x": {}},
        }
    }
    assert walk.created(UNKNOWN, value) == walk.field_set(UNKNOWN, value)


def test_a_new_object_owns_what_an_empty_one_has_not():
    value = {
        "metadata": {"labels": {"a": "1"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"a": "1"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
            "template": {"metadata": {}, "spec": {"containers": [], "securityContext": {}}},
        },
        "status": {},
    }
    assert walk.created(DEPLOYMENT, value) == {
        "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:strategy": {"f:type": {}, "f:rollingUpdate": {".": {}, "f:maxSurge": {}}},
            "f:template": {"f:spec": {"f:containers": {}, "f:securityContext": {}}},
        },
    }


OLD = pod(image="a", env=[{"name": "A", "value": "1"}, {"name": "B"}], command=["x"])


@pytest.mark.parametrize(
    ("new", "changed", "removed"),
    [
        (copy.deepcopy(OLD), {}, {}),
        (
            pod(image="b", env=[{"name": "A", "value": "1"}, {"name": "B"}], command=["x"]),
            {"f:image": {}},
            {},
        ),
        (
            pod(image="a", env=[{"name": "B"}, {"name": "C"}], command=["y"]),
            {"f:env": {'k:{"name":"C"}': {".": {}, "f:name": {}}}, "f:command": {}},
            {"f:env": {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}}},
        ),
        (
            pod(image="a"),
            {},
            {
                "f:env": {
                    ".": {},
                    'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}},
                    'k:{"name":"B"}': {".": {}, "f:name": {}},
                },
                "f:command": {},
            },
        ),
    ],
)
def test_comparing(new, changed, removed):
    found = walk.compare(POD, OLD, new)

    def below(part):
        return {"f:spec": {"f:containers": {C: part}}} if part else {}

    assert found.changed == below(changed)
    assert found.removed == below(removed)
    assert found.same is (new == OLD)


def names(value):
    return [container["name"] for container in value["spec"]["containers"]]


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        ("ab", "ab", "ab"),
        ("ab", "ba", "ba"),
        ("ab", "c", "abc"),
        ("abc", "cxa", "bcxa"),
        ("", "ab", "ab"),
        ("ab", "", "ab"),
        ("abcd", "dxb", "acdxb"),
    ],
)
def test_merging_lists_keeps_the_applied_order(live, applied, merged):
    one = {"spec": {"containers": [{"name": n, "image": "live"} for n in live]}}
    other = {"spec": {"containers": [{"name": n, "command": [n]} for n in applied]}}
    before = copy.deepcopy(one)
    result = walk.merge(POD, one, other)
    assert "".join(names(result)) == merged
    assert one == before
    for container in result["spec"]["containers"]:
        assert ("image" in container) is (container["name"] in live)
        assert ("command" in container) is (container["name"] in applied)


def test_merging_replaces_atomic_values_and_merges_maps():
    live = {"metadata": {"labels": {"a": "1"}}, "spec": {"selector": {"x": "1"}}}
    applied = {"metadata": {"labels": {"b": "2"}}, "spec": {"selector": {"y": "2"}}}
    assert walk.merge(SERVICE, live, applied) == {
        "metadata": {"labels": {"a": "1", "b": "2"}},
        "spec": {"selector": {"y": "2"}},
    }


def test_null_removes_nothing_that_has_parts():
    live = pod(env=[{"name": "A"}], image="x", resources={"limits": {"cpu": "1"}})
    applied = pod(env=None, image=None, resources={"limits": None})
    assert walk.merge(POD, live, applied) == pod(
        env=[{"name": "A"}], image=None, resources={"limits": {"cpu": "1"}}
    )


def test_removing():
    value = pod(image="a", env=[{"name": "A"}]) | {"metadata": {"labels": {"a": "1", "b": "2"}}}
    assert walk.remove(POD, value, {"f:metadata": {"f:labels": {"f:a": {}}}}) == pod(
        image="a", env=[{"name": "A"}]
    ) | {"metadata": {"labels": {"b": "2"}}}
    gone = {"f:spec": {"f:containers": {C: {"f:env": {'k:{"name":"A"}': {}}}}}}
    assert walk.remove(POD, pod(env=[{"name": "A"}]), gone) == pod(env=None)
    none = {"f:spec": {"f:containers": {C: {}}}}
    assert walk.remove(POD, pod(), none) == {"spec": {"containers": None}}
    assert walk.remove(POD, value, {}) is value


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (pod(image="a"), []),
        ({"spec": {"bogus": 1}}, [".spec.bogus: field not declared in schema"]),
        (
            pod(bogus=1),
            ['.spec.containers[name="c"].bogus: field not declared in schema'],
        ),
        (
            {"metadata": {"ownerReferences": [{"uid": "u", "name": 1}]}},
            [
                (
                    '.metadata.ownerReferences[uid="u"].name: expected string, got '
                    "&value.valueUnstructured{Value:1}"
                )
            ],
        ),
        (
            {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}},
            ['.spec.containers: duplicate entries for key [name="a"]'],
        ),
        (
            {"spec": {"containers": [None]}},
            [
                (
                    ".spec.containers: element 0: associative list with keys may not have a "
                    "null element"
                )
            ],
        ),
        ({"spec": 1}, [".spec: expected map, got &{1}"]),
        ({"spec": {"containers": {}}}, [".spec.containers: expected list, got &{map[]}"]),
        (
            {"spec": {"nodeName": {"a": [1.5, None]}}},
            [
                (
                    ".spec.nodeName: expected string, got &value.valueUnstructured{Value:"
                    'map[string]interface {}{"a":[]interface {}{1.5, interface {}(nil)}}}'
                )
            ],
        ),
        (
            {"spec": {"priority": True}},
            [".spec.priority: expected numeric (int or float), got bool"],
        ),
        ({"spec": {"hostNetwork": "yes"}}, [".spec.hostNetwork: expected boolean, got &{yes}"]),
        (
            {"spec": {"tolerations": [{"key": "a"}, {"keys": "b"}]}},
            [".spec.tolerations[1].keys: field not declared in schema"],
        ),
        (
            {"metadata": {"finalizers": ["a", {}]}},
            [
                (
                    ".metadata.finalizers: element 1: associative list without keys has an "
                    "element that's a map type"
                )
            ],
        ),
        (
            {"spec": {"containers": [{"image": "x"}]}, "status": {"conditions": [{}, {}]}},
            ['.status.conditions: duplicate entries for key [type=""]'],
        ),
    ],
)
def test_checking(value, problems):
    assert list(checking.problems(POD, value)) == problems


def test_several_problems_are_listed():
    found = list(checking.problems(POD, {"spec": 1, "status": "x", "a": 1, "b": 2}))
    assert checking.message(found) == (
        "errors:\n  .spec: expected map, got &{1}\n  .status: expected map, got &{x}\n"
        "  .a: field not declared in schema"
    )


ENV = {"name": "A", "value": "1"}


def test_what_a_list_has_twice_is_one_value():
    def pod(*env):
        return {"spec": {"containers": [{"name": "c", "env": list(env)}]}}

    place = ("f:spec", "f:containers", 'k:{"name":"c"}', "f:env", 'k:{"name":"A"}')
    one, two = pod(ENV), pod(ENV, ENV | {"value": "2"})
    assert list(fieldset.members(walk.compare(POD, two, two).changed)) == []
    assert list(fieldset.members(walk.compare(POD, pod(), two).changed))[-1] == place
    found = walk.compare(POD, one, two)
    assert list(fieldset.members(found.changed)) == [place]
    assert (*place, "f:value") in set(fieldset.members(found.removed))
    assert walk.merge(POD, two, pod({"name": "B"})) == pod(*two_of(two), {"name": "B"})
    assert walk.merge(POD, two, pod(ENV)) == one


def two_of(pod):
    return pod["spec"]["containers"][0]["env"]
