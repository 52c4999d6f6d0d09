"""Who wrote an object last, its status aside: the log of revisions knows, managed fields may not.

Managed fields have times of whole seconds: of two managers within one they do not tell the later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from playground.history import blame
from playground.history.facts import actor_of
from playground.objects import facts, vanished
from playground.objects.discovery import Resource
from playground.objects.reading import Reader
from playground.objects.vanished import Place

Object = Mapping[str, Any]
# Writes that are looked back over; between two of a user lie the statuses of a rollout.
LOOKED_AT = 20
_COUNTED = ("managedFields", "resourceVersion", "generation")


def last(reader: Reader, resource: Resource, item: Object) -> tuple[str, str]:
    """Return who wrote an object last, and when by its managed fields."""
    manager, at = by_fields(item)
    place = Place(reader, resource, facts.namespace(item), facts.name(item))
    revision = str(facts.meta(item).get("resourceVersion") or "")
    until = {"before": str(int(revision) + 1)} if revision.isdigit() else {}
    found = vanished.records(place, limit=str(LOOKED_AT), **until)
    return by_log(found) or manager, at


def by_log(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the manager of the latest record (the first) that changed more than the status."""
    for position, record in enumerate(records):
        earlier = records[position + 1] if position + 1 < len(records) else None
        before = earlier["object"] if earlier and earlier["type"] != "DELETED" else None
        if record["type"] == "MODIFIED" and before is None:
            return ""  # further back than we looked
        if before is None or _own(record["object"]) != _own(before):
            known = blame.manager_of(record["object"], before) or _only(record["object"])
            return known or actor_of(str(record["actor"]))
    return ""


def _only(item: Object) -> str:
    """Return the one manager of the last second: who writes twice in it leaves no other trace."""
    written = _written(item)
    latest = {manager for at, manager in written if at == max(written)[0]}
    return latest.pop() if len(latest) == 1 else ""


def _own(item: Object) -> dict[str, Any]:
    """Return what a user would write of an object."""
    metadata = {k: v for k, v in (item.get("metadata") or {}).items() if k not in _COUNTED}
    return {**{k: v for k, v in item.items() if k != "status"}, "metadata": metadata}


def by_fields(item: Object) -> tuple[str, str]:
    """Return who wrote an object last by its managed fields, and when."""
    at, manager = max(_written(item), default=("", ""))
    return manager, at


def _written(item: Object) -> list[tuple[str, str]]:
    entries = (item.get("metadata") or {}).get("managedFields") or ()
    return [
        (str(one.get("time") or ""), str(one.get("manager") or ""))
        for one in entries
        if not one.get("subresource")
    ]
