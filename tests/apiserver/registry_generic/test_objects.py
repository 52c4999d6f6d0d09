"""What is kept of parsed objects."""

from __future__ import annotations

import orjson
import pytest

from apimachinery.clock import ManualClock
from apiserver.registry.objects import StoredObjects
from apiserver.storage import Entry, Key
from tests.apiserver.endpoints.support import MemoryStore


def entry(revision: int, name: str = "a", resource: str = "nodes") -> Entry:
    raw = orjson.dumps({"metadata": {"name": name, "resourceVersion": str(revision)}})
    return Entry(Key(resource, "n", name), "u", revision, raw, {}, {})


def test_what_was_written_takes_the_place_of_what_was_read(clock: ManualClock):
    objects = StoredObjects(MemoryStore(clock))
    before, after, other = entry(1), entry(2), entry(3, "b")
    objects.parse(before)
    written = after.obj()
    objects.renew(after, written)
    assert objects.parse(after) is written
    # What nobody has read is not kept either, unless it is a pod: those change at once.
    unread = other.obj()
    objects.renew(other, unread)
    assert objects.parse(other) is not unread
    assert objects.parse(other) == unread
    pod = entry(4, resource="pods")
    started = pod.obj()
    objects.renew(pod, started)
    assert objects.parse(pod) is started
    objects.forget(pod.key)
    assert objects.parse(pod) is not started


def test_so_much_is_kept_and_no_more(clock: ManualClock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("apiserver.registry.objects.KEPT", 2)
    objects = StoredObjects(MemoryStore(clock))
    one, two, three = (entry(1, name) for name in "abc")
    first = objects.parse(one)
    objects.parse(two)
    objects.renew(one, first)
    objects.parse(three)
    assert objects.parse(one) is first, "what was written last goes last"
