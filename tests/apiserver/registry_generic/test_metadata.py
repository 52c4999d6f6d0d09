import random

import pytest

from apimachinery.errors import BadRequest
from apiserver.registry.metadata import (
    ALPHABET,
    Identity,
    fill_on_create,
    keep_on_update,
    match_namespace,
    ordered,
)


def test_names_and_uids_can_be_repeated():
    one, other = Identity(random.Random(7)), Identity(random.Random(7))
    assert [one.name("a-"), one.uid()] == [other.name("a-"), other.uid()]
    assert one.uid() != one.uid()


def test_generated_names_fit_into_labels():
    name = Identity(random.Random(1)).name("x" * 100)
    assert len(name) == 63
    assert set(name[-5:]) <= set(ALPHABET)


@pytest.mark.parametrize(
    ("given", "wanted", "result"),
    [(None, "a", "a"), ("", "a", "a"), ("a", "a", "a"), ("b", "", None), (None, "", None)],
)
def test_the_request_names_the_namespace(given, wanted, result):
    metadata = {} if given is None else {"namespace": given}
    match_namespace(metadata, wanted)
    assert metadata.get("namespace") == result


def test_another_namespace_is_refused():
    with pytest.raises(BadRequest):
        match_namespace({"namespace": "b"}, "a")


def test_a_new_object_has_not_been_deleted():
    obj = {"metadata": {"name": "a", "deletionTimestamp": "x", "generation": 9, "uid": "mine"}}
    fill_on_create(obj, "now", "u", has_generation=True)
    expected = {"name": "a", "uid": "u", "creationTimestamp": "now", "generation": 1}
    assert obj["metadata"] == expected
    fill_on_create(obj, "now", "u", has_generation=False)
    assert "generation" not in obj["metadata"]


def test_an_update_keeps_what_is_the_servers():
    old = {"metadata": {"uid": "u", "creationTimestamp": "t", "generation": 2}}
    old["metadata"]["deletionTimestamp"] = "d"
    new = {"metadata": {"creationTimestamp": "x", "generation": 9, "selfLink": "/"}}
    keep_on_update(new, old)
    assert new["metadata"] == old["metadata"]
    forged = {"metadata": {"uid": "other"}}
    keep_on_update(forged, old)
    assert forged["metadata"]["uid"] == "other"  # for validation to refuse


def test_stored_objects_begin_alike():
    obj = {"spec": {}, "apiVersion": "v1", "metadata": {"name": "a"}, "kind": "T"}
    assert list(ordered(obj)) == ["kind", "apiVersion", "metadata", "spec"]
    assert ordered(obj) == obj
