"""Rows of a server-side Table in the short form that a page is sent. Pure functions.

A row is `[uid, namespace, name, created, labels, cells]`. What grows with every second, the age, is
left to the page, which has `created`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ACCEPT = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
Row = list[Any]
# A column of a custom resource may print whole texts: a row is a line.
LONGEST_CELL = 300


def columns(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the headings, those of `-o wide` with a priority above 0."""
    return [
        {
            "name": one["name"],
            "type": one.get("type") or "string",
            "wide": bool(one.get("priority")),
            "about": one.get("description") or "",
        }
        for one in table.get("columnDefinitions") or ()
    ]


def rows(table: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows of a Table."""
    for row in table.get("rows") or ():
        meta = (row.get("object") or {}).get("metadata") or {}
        cells = row.get("cells") or ()
        yield [
            meta.get("uid") or "",
            meta.get("namespace") or "",
            meta.get("name") or (str(cells[0]) if cells else ""),
            meta.get("creationTimestamp") or "",
            meta.get("labels") or {},
            [_cell(cell) for cell in cells],
        ]


def revision(answer: Mapping[str, Any]) -> int:
    """Return the revision of a list, of a Table of one event, or of a bookmark."""
    text = str((answer.get("metadata") or {}).get("resourceVersion") or "")
    if not text:
        for row in answer.get("rows") or ():
            text = str((row.get("object") or {}).get("metadata", {}).get("resourceVersion") or "")
    return int(text) if text.isdecimal() else 0


def _cell(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell if len(cell) <= LONGEST_CELL else f"{cell[:LONGEST_CELL]}…"
    return cell if isinstance(cell, int | float | bool | None) else str(cell)
