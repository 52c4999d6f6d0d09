"""The algebra of field sets: examples, and laws that hold for all sets."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apimachinery.apply import fieldset

# The machine that runs this may be busy with other things.
QUICK = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PATHS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(tuple), max_size=5
)
SETS = PATHS.map(fieldset.of_paths)

BOTH = {"f:a": {".": {}, "f:b": {}}}  # a and a.b
CHILD = {"f:a": {"f:b": {}}}  # a.b alone
PARENT = {"f:a": {}}  # a alone


@pytest.mark.parametrize(
    ("one", "other", "union", "difference", "intersection"),
    [
        (PARENT, CHILD, BOTH, PARENT, {}),
        (BOTH, PARENT, BOTH, CHILD, PARENT),
        (BOTH, CHILD, BOTH, PARENT, CHILD),
        (CHILD, BOTH, BOTH, {}, CHILD),
        (BOTH, BOTH, BOTH, {}, BOTH),
        (PARENT, {}, PARENT, PARENT, {}),
    ],
)
def test_members_and_children_are_told_apart(one, other, union, difference, intersection):
    assert fieldset.union(one, other) == union
    assert fieldset.difference(one, other) == difference
    assert fieldset.intersection(one, other) == intersection


def test_recursive_difference_takes_what_lies_below():
    assert fieldset.recursive_difference(BOTH, PARENT) == {}
    assert fieldset.recursive_difference(CHILD, PARENT) == {}
    assert fieldset.recursive_difference(BOTH, CHILD) == PARENT
    kept = {"f:a": {"f:b": {}}, "f:c": {}}
    assert fieldset.recursive_difference(kept, {"f:a": {"f:b": {}}}) == {"f:c": {}}


def test_membership_and_order_of_paths():
    fields = {"f:s": {'k:{"name":"b"}': {".": {}, "f:x": {}}, "f:z": {}}, "f:a": {}}
    assert fieldset.has(fields, ("f:a",))
    assert not fieldset.has(fields, ("f:s",))
    assert fieldset.has(fields, ("f:s", 'k:{"name":"b"}', "f:x"))
    assert not fieldset.has(fields, ("f:none", "f:x"))
    shown = [fieldset.path_text(path) for path in fieldset.members(fields)]
    assert shown == [".a", ".s.z", '.s[name="b"]', '.s[name="b"].x']


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("f:spec", "f:replicas"), ".spec.replicas"),
        (
            ("f:ports", 'k:{"containerPort":80,"protocol":"TCP"}'),
            '.ports[containerPort=80,protocol="TCP"]',
        ),
        (("f:finalizers", 'v:"a"'), '.finalizers[="a"]'),
        (("f:list", "i:3"), ".list[3]"),
    ],
)
def test_paths_in_messages(path, text):
    assert fieldset.path_text(path) == text


@QUICK
@given(SETS, SETS)
def test_laws(one, other):
    both = fieldset.union(one, other)
    assert both == fieldset.union(other, one)
    assert fieldset.union(one, one) == one
    assert fieldset.intersection(both, one) == one
    only = fieldset.difference(one, other)
    assert fieldset.intersection(only, other) == {}
    assert fieldset.union(only, fieldset.intersection(one, other)) == one


@QUICK
@given(PATHS)
def test_a_set_has_exactly_its_paths(paths):
    fields = fieldset.of_paths(paths)
    wanted = {tuple(f"f:{name}" for name in path) for path in paths}
    assert set(fieldset.members(fields)) == wanted
    assert fieldset.canonical(fields) == fields
