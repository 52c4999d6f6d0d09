"""What a cluster holds now, as the event loop sees it: entries by key, and lists in order."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from operator import attrgetter

from apiserver.storage.types import Entry, Event, Key

_PATH = attrgetter("path")
# What follows "/": the end of all paths that begin with a namespace's name and a slash.
_AFTER_SLASH = "0"


class ResourceCache:
    """The objects of one resource.

    Keys are kept in order as objects come and go, so that a list after a change costs a lookup
    an object (0.3 ms for 5,000), and a list without a change costs nothing.
    """

    __slots__ = ("_entries", "_keys", "_lists")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = {entry.key: entry for entry in entries}
        self._keys = sorted(self._entries, key=_PATH)
        self._lists: dict[str | None, tuple[Entry, ...]] = {}

    def get(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    def list(self, namespace: str | None) -> Sequence[Entry]:
        """Return a snapshot in the order of paths; None is every namespace."""
        found = self._lists.get(namespace)
        if found is None:
            found = tuple(map(self._entries.__getitem__, self._slice(namespace)))
            if found:  # nothing is told at once, and any name may be asked for
                self._lists[namespace] = found
        return found

    def apply(self, event: Event) -> None:
        key = event.entry.key
        if event.type == "DELETED":
            if self._entries.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key.path, key=_PATH)]
        else:
            if key not in self._entries:
                insort(self._keys, key, key=_PATH)
            self._entries[key] = event.entry
        if self._lists:
            self._lists.pop(None, None)
            self._lists.pop(key.namespace, None)

    def restate(self, old: Entry, new: Entry) -> None:
        """Show an object in another form at the same revision, unless it has moved on."""
        key = old.key
        if self._entries.get(key) is old:
            self._entries[key] = new
            self._lists.pop(None, None)
            self._lists.pop(key.namespace, None)

    def __len__(self) -> int:
        return len(self._keys)

    def _slice(self, namespace: str | None) -> Sequence[Key]:
        if namespace is None or not self._keys:
            return self._keys
        start = bisect_left(self._keys, f"{namespace}/", key=_PATH)
        end = bisect_left(self._keys, namespace + _AFTER_SLASH, lo=start, key=_PATH)
        return self._keys[start:end]
