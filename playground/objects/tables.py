"""A server-side table, sorted and filtered for a page: the columns that kubectl prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
# A screen shows forty; the rest comes when asked for.
ROWS_PER_PAGE = 200
_NUMBER = re.compile(r"^-?\d+(\.\d+)?")
_AGE_PART = re.compile(r"(\d+)([dhmsy])")
_AGE_UNITS = {"y": 31_536_000, "d": 86_400, "h": 3600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading."""

    name: str
    description: str
    priority: int
    type: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """One object: its cells, and where it is."""

    uid: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    cells: list[Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What the page asks of a list."""

    namespace: str = ""
    query: str = ""
    sort: str = ""
    descending: bool = False
    wide: bool = False
    shown: int = ROWS_PER_PAGE

    @property
    def selector(self) -> str:
        """Return the query as a label selector, if it is one."""
        return self.query if re.search(r"[=!(]|\sin\s", self.query) else ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What the page shows."""

    columns: list[Column]
    rows: list[TableRow]
    matching: int
    total: int
    revision: str = ""
    namespaces_shown: bool = False
    left: int = field(default=0)


def listing(table: Mapping[str, Any], question: Question, *, across: bool) -> Listing:
    """Return the part of a table that answers the question."""
    columns = [
        Column(c["name"], c.get("description", ""), int(c.get("priority") or 0), c.get("type", ""))
        for c in table.get("columnDefinitions") or ()
    ]
    kept = [i for i, column in enumerate(columns) if question.wide or column.priority == 0]
    rows = [_row(row, kept) for row in table.get("rows") or ()]
    found = rows if question.selector else _by_name(rows, question.query)
    shown_columns = [columns[i] for i in kept]
    found = _sorted(found, shown_columns, question)
    return Listing(
        columns=shown_columns,
        rows=found[: question.shown],
        matching=len(found),
        total=len(rows),
        revision=str((table.get("metadata") or {}).get("resourceVersion") or ""),
        namespaces_shown=across,
        left=max(0, len(found) - question.shown),
    )


def _row(row: Mapping[str, Any], kept: list[int]) -> TableRow:
    meta = (row.get("object") or {}).get("metadata") or {}
    cells = row["cells"]
    return TableRow(
        uid=meta.get("uid", ""),
        namespace=meta.get("namespace", ""),
        name=meta.get("name", "") or str(cells[0]),
        labels=meta.get("labels") or {},
        cells=[cells[i] for i in kept],
    )


def _by_name(rows: list[TableRow], text: str) -> list[TableRow]:
    wanted = text.strip().lower()
    return [row for row in rows if wanted in row.name.lower()] if wanted else rows


def _sorted(rows: list[TableRow], columns: list[Column], question: Question) -> list[TableRow]:
    if question.sort == "namespace":
        return sorted(rows, key=lambda r: (r.namespace, r.name), reverse=question.descending)
    for position, column in enumerate(columns):
        if column.name.lower() == question.sort.lower():
            return sorted(
                rows,
                key=lambda row: (sort_key(row.cells[position]), row.namespace, row.name),
                reverse=question.descending,
            )
    return rows


def sort_key(cell: Any) -> tuple[int, float, str]:
    """Order cells as people read them: ages by length, numbers by value, then words."""
    if isinstance(cell, (int, float)):
        return (0, float(cell), "")
    text = str(cell if cell is not None else "")
    if (parts := _AGE_PART.findall(text)) and "".join(f"{n}{u}" for n, u in parts) == text:
        return (0, float(sum(int(n) * _AGE_UNITS[u] for n, u in parts)), "")
    if number := _NUMBER.match(text):
        return (0, float(number[0]), text)
    return (1, 0.0, text.lower())


def kubectl(title: str, question: Question, *, namespaced: bool) -> str:
    """Return the command that prints the same."""
    words = ["kubectl get", title]
    if namespaced:
        words.append(f"-n {question.namespace}" if question.namespace else "-A")
    if question.selector:
        words.append(f"-l '{question.selector}'")
    if question.wide:
        words.append("-o wide")
    return " ".join(words)
