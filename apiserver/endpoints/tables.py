"""Tables: a resource's columns over its objects, as meta.k8s.io/v1 Table."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apimachinery.meta import Obj
from apimachinery.table import Row, table
from apiserver.registry.catalog import Served
from apiserver.registry.resource import Column, Resource
from apiserver.registry.table import DEFAULT_COLUMNS

logger = logging.getLogger(__name__)


def rows(served: Served, objects: Iterable[Obj], now: float) -> list[Row]:
    """Return the rows of some objects, which are in the version that is stored.

    Columns of a built-in kind read the stored form, whichever the version: its Tables are the
    same, but for the objects that come with the rows.
    """
    resource, version = served.resource, served.version
    columns, strategy = columns_of(resource), resource.strategy
    found = []
    for stored in objects:
        obj = stored if version is None else version.from_storage(stored)
        found.append(Row(cells(columns, stored, now), obj, strategy.row_conditions(stored)))
    return found


def of_rows(
    resource: Resource,
    found: Sequence[Row],
    *,
    include: str,
    version: str = "v1",
    metadata: Mapping[str, Any] | None = None,
    headers: bool = True,
) -> Obj:
    """Return the Table of a resource's rows."""
    columns = columns_of(resource)
    made = table(columns, found, include=include, metadata=metadata, headers=headers)
    if version != "v1":
        made["apiVersion"] = f"meta.k8s.io/{version}"
    return made


def columns_of(resource: Resource) -> Sequence[Column]:
    return resource.columns or DEFAULT_COLUMNS


def cells(columns: Sequence[Column], obj: Obj, now: float) -> list[Any]:
    """Return an object's cells. A column that cannot cope with an object says so in its cell."""
    try:
        return [column.value(obj, now) for column in columns]
    except Exception:
        logger.exception("a column failed", extra={"object": obj.get("metadata", {}).get("name")})
        return [_cell(column, obj, now) for column in columns]


def _cell(column: Column, obj: Obj, now: float) -> Any:
    try:
        return column.value(obj, now)
    except Exception:
        return "<unknown>"
