"""Differences of objects by field, and blame of lines: pure, as tables."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from playground.history.blame import State, lines, manager_of
from playground.history.fields import changed_fields

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below, max_size=3)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", "~", 1, 2)]),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, [("a.c", "+", None, 2)]),
        ({"a": {"b": 1}}, {"a": {}}, [("a.b", "-", 1, None)]),
        (
            {"l": {"app.kubernetes.io/name": "x"}},
            {"l": {"app.kubernetes.io/name": "y"}},
            [('l["app.kubernetes.io/name"]', "~", "x", "y")],
        ),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [("a[1]", "~", 2, 3), ("a[2]", "+", None, 4)]),
        (
            {"c": [{"name": "a", "image": "1"}]},
            {"c": [{"name": "b", "image": "2"}, {"name": "a", "image": "3"}]},
            [
                ("c[name=b]", "+", None, {"name": "b", "image": "2"}),
                ("c[name=a].image", "~", "1", "3"),
            ],
        ),
        (
            {"c": [{"name": "a"}, {"name": "a"}]},
            {"c": [{"name": "a"}, {"name": "b"}]},
            [("c[1].name", "~", "a", "b")],
        ),
        (
            {"metadata": {"resourceVersion": "1", "managedFields": [], "labels": {"a": "1"}}},
            {"metadata": {"resourceVersion": "2", "managedFields": [1], "labels": {"a": "2"}}},
            [("metadata.labels.a", "~", "1", "2")],
        ),
        ({"a": [1]}, {"a": {"b": 1}}, [("a", "~", [1], {"b": 1})]),
    ],
)
def test_differences(old, new, expected):
    found = [(one.path, one.op, one.before, one.after) for one in changed_fields(old, new)]
    assert found == expected


@given(PLAIN, PLAIN)
def test_equal_values_have_no_difference_and_others_do(old, new):
    assert changed_fields(old, old) == []
    assert bool(changed_fields({"x": old}, {"x": new})) == (old != new)


def obj(**spec):
    return {"kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def state(revision, found, actor="someone"):
    return State(revision, float(revision), actor, f"trace-{revision}", found)


def blamed(*states):
    text = yaml.safe_dump(states[-1].obj, sort_keys=True)
    return {line.text.strip(): line.state.revision for line in lines(states, text)}


def test_a_line_belongs_to_the_write_that_gave_it_its_value():
    first = obj(replicas=2, containers=[{"name": "c", "image": "nginx:1"}])
    second = obj(replicas=3, containers=[{"name": "c", "image": "nginx:1"}])
    third = obj(
        replicas=3, containers=[{"name": "side", "image": "x"}, {"name": "c", "image": "nginx:1"}]
    )
    found = blamed(state(1, first), state(5, second), state(9, third))
    assert found["kind: Deployment"] == found["name: web"] == 1
    assert found["replicas: 3"] == 5
    assert found["- image: x"] == found["name: side"] == 9
    assert found["- image: nginx:1"] == found["name: c"] == 1, "it moved, and did not change"
    assert found["spec:"] == found["containers:"] == 9, "as new as the newest below"


def test_a_value_that_came_back_is_of_the_write_that_brought_it_back():
    found = blamed(state(1, obj(a=1)), state(2, obj(a=2)), state(3, obj(a=1)))
    assert found["a: 1"] == 3


def test_lines_of_a_block_of_text_belong_together():
    text = {"kind": "ConfigMap", "data": {"f": "one\ntwo\n", "g": "x"}}
    changed = {"kind": "ConfigMap", "data": {"f": "one\nthree\n", "g": "x"}}
    shown = "data:\n  f: |\n    one\n    three\n  g: x\nkind: ConfigMap\n"
    found = lines([state(1, text), state(2, changed)], shown)
    assert [line.state.revision for line in found] == [2, 2, 2, 2, 1, 1]


@given(st.dictionaries(st.text(st.characters(codec="ascii"), max_size=4), PLAIN, max_size=4))
def test_every_line_is_somebodys(found):
    text = yaml.safe_dump(found, sort_keys=True)
    assert len(lines([state(1, found)], text)) == len(text.splitlines())


def test_the_manager_of_a_write_is_the_one_whose_fields_it_changed():
    def managed(*managers):
        return {"metadata": {"managedFields": [{"manager": m, "time": t} for m, t in managers]}}

    old, new = managed(("kubectl", 1), ("hpa", 1)), managed(("kubectl", 1), ("hpa", 2))
    assert manager_of(new, old) == "hpa"
    assert manager_of(old, None) == "kubectl"
    assert manager_of(old, old) == ""
