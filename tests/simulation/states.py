"""A history as rules see it: the objects as they are, one write after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from apimachinery.labels import Selector
from apimachinery.meta import controller_of, is_controlled_by, labels_of, namespace_of, uid_of
from apimachinery.pods import is_active, is_ready
from apiserver.storage import ChangeRecord

Obj = dict[str, Any]


class State:
    """The objects as they are at one revision."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[tuple[str, str], Obj]] = defaultdict(dict)

    def of(self, resource: str) -> Iterable[Obj]:
        return self.objects[resource].values()

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return self.objects[resource].get((namespace, name))

    def owned(self, resource: str, owner: Obj) -> list[Obj]:
        return [one for one in self.of(resource) if is_controlled_by(one, owner)]

    def within(self, resource: str, namespace: str) -> list[Obj]:
        return [one for one in self.of(resource) if namespace_of(one) == namespace]

    def healthy(self, namespace: str, selector: Selector) -> list[Obj]:
        """Return the selected pods that are ready and neither ended nor on their way out."""
        return [
            pod
            for pod in self.within("pods", namespace)
            if selector.matches(labels_of(pod)) and is_active(pod) and is_ready(pod)
        ]

    def owner(self, obj: Obj, kind: str, resource: str) -> Obj | None:
        """Return an object's controller if it is of a kind and still there."""
        said = controller_of(obj)
        if said is None or said["kind"] != kind:
            return None
        found = self.get(resource, namespace_of(obj), said["name"])
        return found if found is not None and uid_of(found) == said["uid"] else None


class Change:
    """One write: what was, what is, and who did it."""

    def __init__(self, record: ChangeRecord, old: Obj | None) -> None:
        self.record = record
        self.resource = record.entry.key.resource
        self.old = old
        self.new: Obj | None = None if record.type == "DELETED" else orjson.loads(record.entry.raw)

    @property
    def made(self) -> Obj | None:
        """The object, if this is its first state."""
        return self.new if self.old is None else None

    @property
    def last(self) -> Obj:
        """The object, also as it was when it went."""
        return orjson.loads(self.record.entry.raw) if self.new is None else self.new

    def by(self, name: str) -> bool:
        """Whether a component with this name has written it."""
        return self.record.actor.rpartition(":")[2] == name

    def __str__(self) -> str:
        return f"{self.record.entry.revision} {'/'.join(self.record.entry.key)}"


class Rule:
    """One thing that must not happen."""

    def look(self, state: State, change: Change) -> Iterator[str]:
        """Yield what a write does wrong; `state` is what was before it."""
        raise NotImplementedError
