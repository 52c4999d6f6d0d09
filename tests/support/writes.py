"""Short names for the writes that storage and watch tests make."""

from __future__ import annotations

from typing import Any

from apiserver.storage import Entry, Event, Key, Write


def key(name: str, namespace: str = "default", resource: str = "configmaps") -> Key:
    return Key(resource, namespace, name)


def config_map(at: Key, labels: dict[str, str], data: dict[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": at.name, "namespace": at.namespace, "uid": f"uid-{at.name}"}
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def create(at: Key | str, labels: dict[str, str] | None = None, **data: Any) -> Write:
    where = key(at) if isinstance(at, str) else at
    labels = labels or {}
    obj = config_map(where, labels, data)
    fields = {"kind": data["kind"]} if "kind" in data else {}
    return Write(where, "ADDED", obj, uid=f"uid-{where.name}", labels=labels, fields=fields)


def update(
    at: Key | str, labels: dict[str, str] | None = None, *, expected: int = -1, **data: Any
) -> Write:
    made = create(at, labels, **data)
    made.type, made.expected = "MODIFIED", expected
    return made


def delete(at: Key | str, *, expected: int = -1) -> Write:
    return Write(key(at) if isinstance(at, str) else at, "DELETED", None, expected=expected)


def data_of(entry: Entry | None) -> dict[str, Any]:
    assert entry is not None
    return dict(entry.obj()["data"])


def told(event: Event) -> tuple[str, str, int]:
    """Return what an event says in a word: type, name, revision."""
    return event.type, event.entry.key.name, event.revision
