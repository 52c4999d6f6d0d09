"""The values that go in and out of the store: keys, entries, writes, events, clusters.

A stored object is immutable JSON bytes and a small index. Nothing here keeps a parsed object for
longer than an event takes to be delivered: parsed objects cost 4 times the memory of bytes, and
the garbage collector walks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

import orjson

from apimachinery.meta import Obj
from apiserver.storage import codec

EventType: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]

# Shared by every entry without labels or selectable fields; never changed.
EMPTY: dict[str, str] = {}


class Key(NamedTuple):
    """Where an object is. The resource is str(GroupResource): "pods", "deployments.apps"."""

    resource: str
    namespace: str
    name: str

    @property
    def path(self) -> str:
        """What etcd orders the objects of a resource by, and so every list.

        "a-b/x" comes before "a/x": the order of pairs of namespace and name would be another.
        """
        return f"{self.namespace}/{self.name}"


class Entry:
    """An object as stored: its JSON with the resourceVersion in it, and what selectors ask of it.

    Entries are shared between threads and readers and are never changed.
    """

    __slots__ = ("fields", "key", "labels", "raw", "revision", "uid")

    def __init__(
        self,
        key: Key,
        uid: str,
        revision: int,
        raw: bytes,
        labels: dict[str, str],
        fields: dict[str, str],
    ) -> None:
        self.key = key
        self.uid = uid
        self.revision = revision
        self.raw = raw
        self.labels = labels
        self.fields = fields

    def obj(self) -> Obj:
        """Parse the object. The caller owns the result; each call parses anew (13 us for a pod)."""
        parsed: Obj = orjson.loads(self.raw)
        return parsed

    def field(self, name: str) -> str:
        """Return a selectable field, "" where the object has none of that name."""
        value = self.fields.get(name)
        if value is not None:
            return value
        if name == "metadata.name":
            return self.key.name
        return self.key.namespace if name == "metadata.namespace" else ""

    def at(self, revision: int) -> Entry:
        """Return the same state under another resourceVersion, as the last word on the object."""
        raw = codec.with_revision(self.raw, self.revision, revision)
        return Entry(self.key, self.uid, revision, raw, self.labels, self.fields)

    def reformed(self, obj: Obj, fields: dict[str, str]) -> Entry:
        """Return another form of the object at the same revision."""
        encoded = codec.encode(obj)
        raw = b"%b%d%b" % (encoded.head, self.revision, encoded.tail)
        return Entry(self.key, self.uid, self.revision, raw, self.labels, fields)

    def __repr__(self) -> str:
        return f"Entry({'/'.join(self.key)} at {self.revision})"


@dataclass(slots=True)
class Write:
    """One change asked for. `obj`, of dicts and lists, is handed over: nobody changes it any more.

    `expected` is 0 for "must not exist", a revision for "must be at", -1 for "must exist".
    A deletion without `obj` keeps the state that the object had. `stored` is the object as
    everybody has it once it is written, None where it takes a parser to tell.
    """

    key: Key
    type: EventType
    obj: Obj | None
    uid: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    expected: int = 0
    actor: str = ""
    trace: str = ""
    stored: Obj | None = None


class Event:
    """One committed write: the state after it and before it.

    For DELETED, `entry` is the last state with the deletion's resourceVersion. What is derived
    from an event (the parsed object, encodings) is made once for all its readers, and let go of
    by `release` once it has been delivered; later readers derive it for themselves.
    """

    __slots__ = (
        "_encodings",
        "_entering",
        "_json",
        "_leaving",
        "_obj",
        "_released",
        "entry",
        "previous",
        "revision",
        "type",
    )

    def __init__(
        self,
        type_: EventType,
        revision: int,
        entry: Entry,
        previous: Entry | None,
        obj: Obj | None = None,
    ) -> None:
        """`obj` is the object of `entry`, where whoever wrote it has it still."""
        self.type: EventType = type_
        self.revision = revision
        self.entry = entry
        self.previous = previous
        self._obj = obj
        self._json: bytes | None = None
        self._encodings: dict[Any, bytes] | None = None
        self._entering: Event | None = None
        self._leaving: Event | None = None
        self._released = False

    @property
    def obj(self) -> Obj:
        """The object, parsed once and shared: never change it."""
        if self._obj is not None:
            return self._obj
        parsed = self.entry.obj()
        if not self._released:
            self._obj = parsed
        return parsed

    @property
    def json(self) -> bytes:
        """The watch event as one line of JSON, encoded once and shared."""
        if self._json is not None:
            return self._json
        line = codec.watch_line(self.type, self.entry.raw)
        if not self._released:
            self._json = line
        return line

    @property
    def encodings(self) -> dict[Any, bytes]:
        """Where other encoders keep their bytes, by a key of their own."""
        if self._encodings is not None:
            return self._encodings
        made: dict[Any, bytes] = {}
        if not self._released:
            self._encodings = made
        return made

    def entering(self) -> Event:
        """Return this change as one who could not see the object before has it: ADDED."""
        if self._entering is not None:
            return self._entering
        made = Event("ADDED", self.revision, self.entry, None)
        if not self._released:
            self._entering = made
        return made

    def leaving(self) -> Event:
        """Return this change as one who can see the object no more has it: DELETED.

        It shows the previous state, the last that the watcher may see, at the new revision.
        """
        if self._leaving is not None:
            return self._leaving
        previous = self.previous or self.entry
        made = Event("DELETED", self.revision, previous.at(self.revision), previous)
        if not self._released:
            self._leaving = made
        return made

    def release(self) -> None:
        """Let go of everything derived; from now on nothing derived is kept."""
        self._released = True
        self._obj = self._json = self._encodings = None
        self._entering = self._leaving = None

    def __repr__(self) -> str:
        return f"Event({self.type} {'/'.join(self.entry.key)} at {self.revision})"


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """One write as the log has it: what, when (cluster seconds), by whom, in which request."""

    type: EventType
    entry: Entry
    at: float
    actor: str
    trace: str


@dataclass(slots=True)
class ClusterRecord:
    """A cluster's row: what is known of it without opening it."""

    name: str
    uid: str = ""
    owner: str = ""
    template: str = ""
    nodes: int = 0
    created: float = 0.0
    revision: int = 0
    compacted: int = 0
    ca_cert: str = ""
    ca_key: str = ""
    sa_key: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0
