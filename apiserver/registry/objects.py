"""Reads of parsed objects from memory, for hooks and admission plugins.

Parsing costs 13 us for a pod, so what was parsed last is kept: a request reads the same namespace,
service account or owner as the one before it. What is kept is small and is checked against the
store's revision on each read, so it can never be stale.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from apimachinery.meta import Obj
from apiserver.storage import ClusterStore, Entry, Key

# Enough for what is in use: namespaces, service accounts, owners, and the pods that start. An idle
# cluster has a dozen. What was written is one and the same object for all who follow its kind.
KEPT = 1024
# Written several times within the first second: kept as soon as they are there.
WRITTEN_AGAIN = frozenset({"pods"})
# Lists up to here are kept: priority classes, limit ranges, quotas are read with each new pod.
SHORT = 8
# Those who follow a kind list it when a cluster starts, all within seconds: of a kind with many
# objects they share what they keep. It takes less than this for 5,000 pods on a slow machine.
MANY, SHARED_SECONDS = 200, 30.0


class StoredObjects:
    """An ObjectReader over the store. Results are shared: read only."""

    def __init__(self, store: ClusterStore) -> None:
        self._store = store
        self._parsed: OrderedDict[Key, tuple[Entry, Obj]] = OrderedDict()
        self._listed: dict[Key, tuple[Entry, Obj]] = {}

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        """Return the object, None where there is none."""
        entry = self._store.get(Key(resource, namespace, name))
        return None if entry is None else self.parse(entry)

    def text(self, resource: str, namespace: str, name: str) -> bytes:
        """Return the JSON of an object as it is stored, nothing where there is none."""
        entry = self._store.get(Key(resource, namespace, name))
        return b"" if entry is None else entry.raw

    def parse_all(self, entries: Iterable[Entry]) -> list[Obj]:
        """Return the objects of entries, without keeping them."""
        return [entry.obj() for entry in entries]

    def parse(self, entry: Entry) -> Obj:
        """Return an entry's object, parsed now or lately."""
        found = self._parsed.get(entry.key)
        if found is not None and found[0] is entry:
            return found[1]
        obj = entry.obj()
        self._keep(entry, obj)
        return obj

    def _keep(self, entry: Entry, obj: Obj) -> None:
        self._parsed[entry.key] = (entry, obj)
        self._parsed.move_to_end(entry.key)
        if len(self._parsed) > KEPT:
            self._parsed.popitem(last=False)

    def renew(self, entry: Entry, obj: Obj) -> None:
        """Keep what was written just now, if it is going to be read again."""
        if entry.key in self._parsed or entry.key.resource in WRITTEN_AGAIN:
            self._keep(entry, obj)

    def forget(self, key: Key) -> None:
        """Let go of an object that is no more."""
        self._parsed.pop(key, None)

    def listed(self, resource: str, entries: Iterable[Entry]) -> list[Obj]:
        """Return the objects of entries for somebody who keeps them, as others may already."""
        if len(self._store.list(resource)) < MANY:
            return self.parse_all(entries)
        if not self._listed:
            asyncio.get_running_loop().call_later(SHARED_SECONDS, self._listed.clear)
        return [self._to_keep(entry) for entry in entries]

    def _to_keep(self, entry: Entry) -> Obj:
        found = self._listed.get(entry.key)
        if found is None or found[0] is not entry:
            found = self._listed[entry.key] = (entry, entry.obj())
        return found[1]

    def list(self, resource: str, namespace: str | None = None) -> list[Obj]:
        """Return all objects of a resource, or those of one namespace."""
        entries = self._store.list(resource, namespace)
        if len(entries) <= SHORT:
            return [self.parse(entry) for entry in entries]
        return self.parse_all(entries)
