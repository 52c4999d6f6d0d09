"""Who owns the replicas of an object, seen from its Scale: entries of one are those of the other.

As apimachinery's managedfields ScaleHandler: a Scale knows of `spec.replicas` alone, so what its
managers gain or lose there they gain or lose in the object, wherever that keeps its replicas.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apimachinery.apply import fieldset
from apimachinery.meta import Obj

_REPLICAS = fieldset.of_paths([("spec", "replicas")])


def to_scale(entries: Sequence[Obj], path: Sequence[str], version: str) -> list[Obj]:
    """Return the entries of a Scale of that version; the object's replicas are at the path."""
    where = tuple(f"f:{name}" for name in path)
    return [
        {**entry, "apiVersion": version, "fieldsV1": _REPLICAS}
        for entry in entries
        if fieldset.has(entry.get("fieldsV1") or {}, where)
    ]


def to_parent(
    entries: Sequence[Obj], of_scale: Sequence[Obj], path: Sequence[str], version: str
) -> list[Obj]:
    """Return the object's entries after its Scale has got those of `of_scale`.

    `version` is that in which the object was asked for.
    """
    where = tuple(f"f:{name}" for name in path)
    replicas = fieldset.of_paths([tuple(path)])
    owners = {_who(entry): entry for entry in of_scale if entry.get("fieldsV1")}
    kept: list[Obj] = []
    for entry in entries:
        fields = entry.get("fieldsV1") or {}
        if not fieldset.has(fields, where):
            kept.append(entry)
        elif (owner := owners.pop(_who(entry), None)) is None:
            fields = fieldset.difference(fields, replicas)
            kept += [{**entry, "fieldsV1": fields}] if fields else []
        elif entry.get("operation") == "Update" and fields == replicas:
            kept.append({**entry, "time": owner.get("time")})
        else:
            kept.append(entry)
    kept += [{**entry, "apiVersion": version, "fieldsV1": replicas} for entry in owners.values()]
    return sorted(kept, key=_place)


def _who(entry: Obj) -> tuple[Any, ...]:
    return entry.get("manager"), entry.get("operation"), entry.get("subresource")


def _place(entry: Obj) -> tuple[str, ...]:
    parts = ("operation", "time", "manager", "apiVersion", "subresource")
    return tuple(entry.get(part) or "" for part in parts)
