"""What a batch makes of a cluster, without a database."""

from __future__ import annotations

import pytest

from apimachinery.verbatim import Verbatim
from apiserver.storage import Entry, Oversized, Write
from apiserver.storage.staging import LARGEST, Head, Prepared, Staged
from tests.support.writes import create, delete, key, update


def staged(*writes: Write, on: Staged | None = None) -> Staged:
    result = on or Staged(Head(1, 0, {}, print))
    for write in writes:
        result.add(Prepared(write, 5.0))
    return result


def test_nothing_is_committed_until_it_is():
    batch = staged(create("a"), update("a", n=1))
    assert (batch.revision, batch.head.revision, batch.head.entries) == (2, 0, {})
    batch.commit()
    assert (batch.head.revision, list(batch.head.entries)) == (2, [key("a")])


def test_each_object_is_written_once_however_often_it_changes():
    batch = staged(create("a"), update("a", n=1), update("a", n=2), create("b"), delete("b"))
    ((*_, body, _attrs),) = batch.upserts()
    assert b'"n":2' in body
    assert batch.deletes() == [(1, *key("b"))]
    assert len(batch.changes) == len(batch.events) == 5


def test_what_did_not_change_is_shared_with_the_entry_before():
    batch = staged(create("a", {"app": "x"}, kind="k"))
    batch.commit()
    before = batch.head.entries[key("a")]
    batch = staged(update(key("a"), {"app": "x"}, kind="k", n=1), on=Staged(batch.head))
    after = batch.events[0].entry
    for attribute in ("key", "labels", "fields", "uid"):
        assert getattr(after, attribute) is getattr(before, attribute)


def test_objects_without_labels_share_one_empty_dict():
    one, two = staged(create("a"), create("b")).events
    assert one.entry.labels is two.entry.labels is one.entry.fields
    assert one.entry.key.resource is two.entry.key.resource


def test_a_change_of_fields_alone_is_a_change():
    """A selector may ask for a field that is computed, not stored."""
    batch = staged(create("a"))
    again = update("a")
    again.fields = {"phase": "Running"}
    assert staged(again, on=batch).revision == 2


def test_what_etcd_would_not_take_is_not_taken():
    batch = staged(create("a"))
    full, more = (update("a", n="x" * size) for size in (LARGEST - 200, LARGEST))
    assert isinstance(batch.add(Prepared(more, 0.0)), Oversized)
    assert [type(one) for one in batch.add_together([Prepared(more, 0.0)])] == [Oversized]
    assert batch.revision == 1
    assert isinstance(batch.add(Prepared(full, 0.0)), Entry)


@pytest.mark.parametrize(
    "write", [Write(key("a"), "ADDED", None), Write(key("a"), "DELETED", None, expected=0)]
)
def test_writes_that_mean_nothing_are_faults(write):
    with pytest.raises(ValueError, match="cannot be"):
        Prepared(write, 0.0)


def test_the_log_says_who_when_and_why():
    write = create("a")
    write.actor, write.trace = "system:admin", "audit-1"
    (row,) = staged(write).changes
    assert row[-3:] == (5.0, "system:admin", "audit-1")


def test_readers_get_the_object_that_was_written_where_a_parser_would_make_the_same():
    plain, sent = create("a"), create("b")
    assert sent.obj is not None
    sent.obj["data"] = Verbatim({"n": 1}, '{"n":1.0}')
    events = staged(plain, sent).events
    assert events[0].obj is plain.stored
    assert plain.obj is not None
    assert events[0].obj == {
        **plain.obj,
        "metadata": {**plain.obj["metadata"], "resourceVersion": "1"},
    }
    assert sent.stored is None
    assert (events[1].obj["data"], type(events[1].obj["data"])) == ({"n": 1.0}, dict)
    events[0].release()
    assert events[0].obj is not plain.stored
    assert events[0].obj == plain.stored
