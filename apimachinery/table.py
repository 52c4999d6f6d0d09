"""Tables: what `kubectl get` prints, as meta.k8s.io/v1 Table objects.

Columns and cells are a kind's own affair; here they are put together with the objects that the
client asked to get along with each row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from apimachinery.duration import translate_timestamp_since
from apimachinery.errors import BadRequest
from apimachinery.meta import Obj, name_of

META_V1 = "meta.k8s.io/v1"

NONE, METADATA, OBJECT = "None", "Metadata", "Object"


class ColumnLike(Protocol):
    """What a column definition needs to say."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def priority(self) -> int: ...
    @property
    def description(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Column:
    """A column definition; priority 1 shows with `-o wide`."""

    name: str
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one object; conditions mark rows that clients may hide (completed pods)."""

    cells: Sequence[Any]
    obj: Obj
    conditions: Sequence[Mapping[str, str]] = ()


NAME = Column("Name", format="name")
AGE = Column("Age")
CREATED_AT = Column("Created At", type="date")


def check_include(include: str) -> str:
    """Return the `includeObject` that an option asks for. Raises BadRequest on other words."""
    if include not in ("", NONE, METADATA, OBJECT):
        raise BadRequest(
            f'includeObject: Invalid value: "{include}": '
            "must be 'Metadata', 'Object', 'None', or empty"
        )
    return include or METADATA


def table(
    columns: Iterable[ColumnLike],
    rows: Iterable[Row],
    *,
    include: str = METADATA,
    metadata: Mapping[str, Any] | None = None,
    headers: bool = True,
) -> Obj:
    """Return a Table; watch events after the first carry no column definitions."""
    return {
        "kind": "Table",
        "apiVersion": META_V1,
        "metadata": dict(metadata or {}),
        "columnDefinitions": [definition(column) for column in columns] if headers else None,
        "rows": [_row(row, include) for row in rows],
    }


def definition(column: ColumnLike) -> Obj:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def _row(row: Row, include: str) -> Obj:
    made: Obj = {"cells": list(row.cells)}
    if row.conditions:
        made["conditions"] = [dict(condition) for condition in row.conditions]
    if include == OBJECT:
        made["object"] = row.obj
    else:
        made["object"] = partial_metadata(row.obj) if include == METADATA else None
    return made


def partial_metadata(obj: Obj) -> Obj:
    """Return the object with nothing but its metadata."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": META_V1,
        "metadata": obj.get("metadata") or {},
    }


def partial_metadata_list(items: Iterable[Obj], metadata: Mapping[str, Any]) -> Obj:
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": META_V1,
        "metadata": dict(metadata),
        "items": [partial_metadata(item) for item in items],
    }


def name_cell(obj: Obj, now: float) -> str:
    del now
    return name_of(obj)


def age_cell(obj: Obj, now: float) -> str:
    return translate_timestamp_since((obj.get("metadata") or {}).get("creationTimestamp"), now)


def created_cell(obj: Obj, now: float) -> str:
    """Return the creation time itself, for kinds that have no printer of their own."""
    del now
    return (obj.get("metadata") or {}).get("creationTimestamp") or ""
