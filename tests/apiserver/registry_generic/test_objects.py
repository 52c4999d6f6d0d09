"""What is kept of parsed objects."""

from __future__ import annotations

import orjson

from apimachinery.clock import ManualClock
from apiserver.registry.objects import StoredObjects
from apiserver.storage import Entry, Key
from tests.apiserver.endpoints.support import MemoryStore


def entry(revision: int, name: str = "a") -> Entry:
    raw = orjson.dumps({"metadata": {"name": name, "resourceVersion": str(revision)}})
    return Entry(Key("pods", "n", name), "u", revision, raw, {}, {})


def test_what_was_written_takes_the_place_of_what_was_read(clock: ManualClock):
    objects = StoredObjects(MemoryStore(clock))
    before, after, other = entry(1), entry(2), entry(3, "b")
    objects.parse(before)
    written = after.obj()
    objects.renew(after, written)
    assert objects.parse(after) is written
    # What nobody has read is not kept either.
    unread = other.obj()
    objects.renew(other, unread)
    assert objects.parse(other) is not unread
    assert objects.parse(other) == unread
