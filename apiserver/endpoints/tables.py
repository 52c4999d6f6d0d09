"""Tables: a resource's columns over its objects, as meta.k8s.io/v1 Table."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apimachinery.meta import Obj
from apimachinery.table import Row, table
from apiserver.registry.resource import Column, Resource
from apiserver.registry.table import DEFAULT_COLUMNS

logger = logging.getLogger(__name__)


def of_objects(
    resource: Resource,
    objects: Iterable[Obj],
    *,
    now: float,
    include: str,
    version: str = "v1",
    metadata: Mapping[str, Any] | None = None,
    headers: bool = True,
) -> Obj:
    """Return the Table of some objects of a resource."""
    columns = columns_of(resource)
    rows = [
        Row(cells(columns, obj, now), obj, resource.strategy.row_conditions(obj)) for obj in objects
    ]
    made = table(columns, rows, include=include, metadata=metadata, headers=headers)
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
