"""Reading a cache: objects by name, by namespace and label, by an index. Never change them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

from apimachinery.labels import Selector
from apimachinery.meta import Obj, controller_of, labels_of, name_of, namespace_of, uid_of

IndexFunc: TypeAlias = Callable[[Obj], Iterable[str]]
# Of which group an object is, and what it is like in there; None counts nowhere.
TallyFunc: TypeAlias = Callable[[Obj], tuple[str, Hashable] | None]
Objs: TypeAlias = list[Obj]  # where a method named `list` hides the type


class Key(NamedTuple):
    """The name of an object in its resource; "" is the namespace of what has none."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def key_of(obj: Obj) -> Key:
    return Key(namespace_of(obj), name_of(obj))


def by_owner(obj: Obj) -> Iterable[str]:
    """Index by the uid of the controlling owner."""
    owner = controller_of(obj)
    return (owner["uid"],) if owner is not None else ()


def by_node(obj: Obj) -> Iterable[str]:
    """Index pods by the node that they are bound to."""
    node = (obj.get("spec") or {}).get("nodeName")
    return (node,) if node else ()


def by_namespace(obj: Obj) -> Iterable[str]:
    return (namespace_of(obj),)


OWNER, NODE, NAMESPACE = "owner", "node", "namespace"


class Lister(Protocol):
    """What a plugin or a controller may read of a resource."""

    def get(self, namespace: str, name: str) -> Obj | None: ...

    def list(self, namespace: str = "", selector: Selector | None = None) -> Objs: ...

    def by_index(self, index: str, value: str) -> Objs: ...

    def owned_by(self, owner: Obj) -> Objs: ...


class Tally:
    """How many objects of each group are alike; a change costs the change alone."""

    def __init__(self, function: TallyFunc) -> None:
        self._function = function
        self.groups: dict[str, dict[Hashable, int]] = {}

    def change(self, old: Obj | None, new: Obj | None) -> None:
        before = self._function(old) if old is not None else None
        after = self._function(new) if new is not None else None
        if before != after:
            self._add(before, -1)
            self._add(after, 1)

    def _add(self, place: tuple[str, Hashable] | None, by: int) -> None:
        if place is None:
            return
        group, like = place
        counts = self.groups.setdefault(group, {})
        counts[like] = counts.get(like, 0) + by
        if not counts[like]:
            del counts[like]
            if not counts:
                del self.groups[group]


_NONE: Mapping[Any, int] = {}


class Indexer:
    """Objects by key, with indexes that follow each change at the cost of the change alone."""

    def __init__(self) -> None:
        self._items: dict[Key, Obj] = {}
        self._indexes: dict[str, dict[str, dict[Key, None]]] = {}
        self._functions: dict[str, IndexFunc] = {}
        self._tallies: dict[str, Tally] = {}
        self.add_index(NAMESPACE, by_namespace)
        self.add_index(OWNER, by_owner)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: Key) -> bool:
        return key in self._items

    def add_index(self, name: str, function: IndexFunc) -> None:
        """Keep an index from now on; the objects that are there are put in. Twice is once."""
        if name in self._functions:
            return
        self._functions[name] = function
        self._indexes[name] = {}
        for key, obj in self._items.items():
            self._enter(name, key, function(obj))

    def replace(self, key: Key, new: Obj | None) -> Obj | None:
        """Put `new` in (or take the object out, if None) and return what was there."""
        old = self._items.get(key)
        if new is None:
            self._items.pop(key, None)
        else:
            self._items[key] = new
        for name, function in self._functions.items():
            before = tuple(function(old)) if old is not None else ()
            after = tuple(function(new)) if new is not None else ()
            if before != after:
                self._leave(name, key, before)
                self._enter(name, key, after)
        for tally in self._tallies.values():
            tally.change(old, new)
        return old

    def keys(self) -> list[Key]:
        return list(self._items)

    def get(self, namespace: str, name: str) -> Obj | None:
        return self._items.get(Key(namespace, name))

    def list(self, namespace: str = "", selector: Selector | None = None) -> Objs:
        found = self.by_index(NAMESPACE, namespace) if namespace else list(self._items.values())
        if selector is None:
            return found
        return [obj for obj in found if selector.matches(labels_of(obj))]

    def by_index(self, index: str, value: str) -> Objs:
        items = self._items
        return [items[key] for key in self._indexes[index].get(value, ())]

    def count(self, index: str, value: str) -> int:
        return len(self._indexes[index].get(value, ()))

    def add_tally(self, name: str, function: TallyFunc) -> None:
        """Count from now on how many objects of a group are alike. Twice is once."""
        if name not in self._tallies:
            tally = self._tallies[name] = Tally(function)
            for obj in self._items.values():
                tally.change(None, obj)

    def tally(self, name: str, group: str) -> Mapping[Any, int]:
        """Return how many objects of a group are like what; it changes with the objects."""
        return self._tallies[name].groups.get(group, _NONE)

    def owned_by(self, owner: Obj) -> Objs:
        """Return the objects whose controlling owner has this uid."""
        return self.by_index(OWNER, uid_of(owner))

    def _enter(self, name: str, key: Key, values: Iterable[str]) -> None:
        index = self._indexes[name]
        for value in values:
            index.setdefault(value, {})[key] = None

    def _leave(self, name: str, key: Key, values: Iterable[str]) -> None:
        index = self._indexes[name]
        for value in values:
            bucket = index[value]
            bucket.pop(key, None)
            if not bucket:
                del index[value]
