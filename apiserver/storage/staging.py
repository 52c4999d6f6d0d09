"""Which writes of a batch are good, and what they make of a cluster: decided without a database.

The writer thread alone uses this. A `Head` is what is committed; a `Staged` is what one
transaction would add to it. A transaction that fails is forgotten with its Staged, so there is
nothing to roll back in memory.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from apimachinery.meta import Obj
from apiserver.storage import codec, rows
from apiserver.storage.errors import Changed, Dropped, Exists, Missing, Oversized, StorageError
from apiserver.storage.types import EMPTY, Entry, Event, Key, Write

# Bytes of one object: what etcd takes in one request if nobody says otherwise.
LARGEST = 3 * 512 * 1024


class Prepared:
    """A write with its object encoded, so that only the revision is missing."""

    __slots__ = ("at", "attrs", "body", "write")

    def __init__(self, write: Write, at: float) -> None:
        possible = write.expected != 0 if write.type == "DELETED" else write.obj is not None
        if not possible:
            raise ValueError(f"{write.type} of {write.key} cannot be: {write}")
        self.write = write
        self.at = at
        self.body = codec.encode(write.obj) if write.obj else None
        self.attrs = codec.encode_attrs(write.labels, write.fields) if write.obj else b""


class Head:
    """A cluster as the writer thread knows it: the truth that expectations are checked against."""

    __slots__ = ("apply", "cluster", "entries", "revision")

    def __init__(
        self,
        cluster: int,
        revision: int,
        entries: dict[Key, Entry],
        apply: Callable[[Sequence[Event]], None],
    ) -> None:
        self.cluster = cluster
        self.revision = revision
        self.entries = entries
        self.apply = apply  # called on the event loop with what has been committed


class Staged:
    """What one transaction does to one cluster."""

    __slots__ = ("_attrs", "_overlay", "changes", "events", "head", "revision")

    def __init__(self, head: Head) -> None:
        self.head = head
        self.revision = head.revision
        self.events: list[Event] = []
        self.changes: list[rows.Row] = []
        self._overlay: dict[Key, Entry | None] = {}
        self._attrs: dict[Key, bytes] = {}

    def add(self, prepared: Prepared) -> Entry | StorageError:
        """Stage a write, or say why not. A write that changes nothing returns what is there."""
        write = prepared.write
        current = self._current(write.key)
        refusal = _refusal(write.expected, current) or _too_large(prepared)
        if refusal is not None:
            return refusal
        if current is not None and write.type == "MODIFIED" and _unchanged(prepared, current):
            return current
        self.revision += 1
        entry = _entry(prepared, current, self.revision)
        attrs = prepared.attrs
        if prepared.body is None:
            attrs = codec.encode_attrs(entry.labels, entry.fields)
        previous = None if write.type == "ADDED" else current
        if write.obj is not None and prepared.body is not None and prepared.body.plain:
            write.stored = codec.stamped(write.obj, self.revision)
        self.events.append(Event(write.type, self.revision, entry, previous, write.stored))
        self.changes.append(self._change(prepared, entry, attrs))
        self._overlay[entry.key] = None if write.type == "DELETED" else entry
        self._attrs[entry.key] = attrs
        return entry

    def add_together(self, group: Sequence[Prepared]) -> list[Entry | StorageError]:
        """Stage all writes of a group, or none of them where one is refused."""
        refusals = [
            _refusal(one.write.expected, self._current(one.write.key)) or _too_large(one)
            for one in group
        ]
        if any(refusals):
            return [refusal or Dropped("refused together") for refusal in refusals]
        return [self.add(prepared) for prepared in group]

    def upserts(self) -> list[rows.Row]:
        """Return the rows of objects that are there after the transaction, each once."""
        cluster, attrs = self.head.cluster, self._attrs
        kept = ((key, entry) for key, entry in self._overlay.items() if entry is not None)
        return [rows.object_row(cluster, entry, attrs[key]) for key, entry in kept]

    def deletes(self) -> list[rows.Row]:
        """Return the keys of objects that the transaction removes."""
        cluster = self.head.cluster
        return [(cluster, *key) for key, entry in self._overlay.items() if entry is None]

    def commit(self) -> None:
        """Make the committed transaction part of the head."""
        entries = self.head.entries
        for key, entry in self._overlay.items():
            if entry is None:
                entries.pop(key, None)
            else:
                entries[key] = entry
        self.head.revision = self.revision

    def _current(self, key: Key) -> Entry | None:
        if key in self._overlay:
            return self._overlay[key]
        return self.head.entries.get(key)

    def _change(self, prepared: Prepared, entry: Entry, attrs: bytes) -> rows.Row:
        write = prepared.write
        return (
            self.head.cluster,
            entry.revision,
            *entry.key,
            write.type,
            entry.uid,
            entry.raw,
            attrs,
            prepared.at,
            write.actor,
            write.trace,
        )


def _too_large(prepared: Prepared) -> StorageError | None:
    body = prepared.body
    if (
        body is None
        or prepared.write.type == "DELETED"
        or len(body.head) + len(body.tail) <= LARGEST
    ):
        return None
    return Oversized()


def _refusal(expected: int, current: Entry | None) -> StorageError | None:
    if expected == 0:
        return None if current is None else Exists(current)
    if current is None:
        return Missing("no such object")
    if expected not in (-1, current.revision):
        return Changed(current)
    return None


def _unchanged(prepared: Prepared, current: Entry) -> bool:
    if prepared.body is None:
        return True
    head, tail, _ = prepared.body
    if prepared.write.fields != current.fields:
        return False
    obj: Obj | None = prepared.write.obj
    return codec.same_content(head, tail, current.raw, current.revision, obj)


def _entry(prepared: Prepared, current: Entry | None, revision: int) -> Entry:
    write = prepared.write
    if prepared.body is None:
        if current is None:  # a deletion that expects nothing is no Prepared
            raise Missing(str(write.key))
        return current.at(revision)
    head, tail, _ = prepared.body
    raw = b"%b%d%b" % (head, revision, tail)
    if current is None:
        resource, namespace, name = write.key
        key = Key(sys.intern(resource), sys.intern(namespace), name)
        return Entry(key, write.uid, revision, raw, write.labels or EMPTY, write.fields or EMPTY)
    # What did not change is shared with the entry before: most updates change neither.
    uid = current.uid if write.uid in ("", current.uid) else write.uid
    labels = current.labels if write.labels == current.labels else write.labels or EMPTY
    fields = current.fields if write.fields == current.fields else write.fields or EMPTY
    return Entry(current.key, uid, revision, raw, labels, fields)
