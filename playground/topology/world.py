"""What a cluster looks like now, and the changes that led here: pure, without a network.

    snapshot(n) + changes after n == snapshot now

holds for every n that the log still covers. Each change gets the next number; numbers have no
gaps. The cluster's own revision is kept beside it, for people to read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from playground.topology.projection import COLUMNS, Row

# 4,000 changes are a minute of a busy cluster and about 1 MB: a browser that comes back within
# that minute gets what it missed, any other one the whole picture.
KEPT = 4000

Type = Literal["A", "M", "D"]


@dataclass(frozen=True, slots=True)
class Change:
    """One row came, changed or went."""

    number: int
    table: str
    type: Type
    key: str
    row: Row | None  # None for a deletion
    revision: int


class World:
    """Tables of rows, and the log of their changes."""

    def __init__(self, kept: int = KEPT) -> None:
        self.number = 0
        self.revision = 0
        self.tables: dict[str, dict[str, Row]] = {table: {} for table in COLUMNS}
        self._members: dict[str, set[str]] = {}
        self._log: deque[Change] = deque(maxlen=kept)
        self.changed = asyncio.Event()

    def put(self, resource: str, table: str, row: Row, revision: int) -> None:
        """Note an object's present row; nothing happens when it looks the same as before."""
        key = row[0]
        self.revision = max(self.revision, revision)
        before = self.tables[table].get(key)
        if before == row:
            return
        self.tables[table][key] = row
        self._members.setdefault(resource, set()).add(key)
        self._note(table, "M" if before is not None else "A", key, row, revision)

    def remove(self, resource: str, table: str, key: str, revision: int) -> None:
        """Note that an object is gone."""
        self.revision = max(self.revision, revision)
        if self.tables[table].pop(key, None) is not None:
            self._members[resource].discard(key)
            self._note(table, "D", key, None, revision)

    def replace(self, resource: str, table: str, rows: Iterable[Row], revision: int) -> None:
        """Note a whole list: what it lacks is gone, what differs has changed."""
        found = {row[0]: row for row in rows}
        for key in self._members.get(resource, set()) - found.keys():
            self.remove(resource, table, key, revision)
        for row in found.values():
            self.put(resource, table, row, revision)
        self.revision = max(self.revision, revision)

    def covers(self, number: int) -> bool:
        """Tell whether every change after `number` is still in the log."""
        oldest = self._log[0].number if self._log else self.number + 1
        return oldest - 1 <= number <= self.number

    def changes_after(self, number: int) -> list[Change]:
        """Return the changes after `number`, oldest first."""
        # Walked from the end: a browser at the live edge needs the last few of thousands.
        found: list[Change] = []
        for change in reversed(self._log):
            if change.number <= number:
                break
            found.append(change)
        found.reverse()
        return found

    def snapshot(self) -> dict[str, Mapping[str, Any]]:
        """Return every table in column form."""
        return {
            table: {"cols": COLUMNS[table], "rows": list(rows.values())}
            for table, rows in self.tables.items()
        }

    def _note(self, table: str, type_: Type, key: str, row: Row | None, revision: int) -> None:
        self.number += 1
        self._log.append(Change(self.number, table, type_, key, row, revision))
        self.changed.set()


def collapse(changes: Iterable[Change]) -> list[tuple[Change, int]]:
    """Return the last change of each key and how many it stands for; what came and went is gone.

    The type is told from the first: a row that the reader does not have yet is added, however
    often it changed since.
    """
    last: dict[tuple[str, str], tuple[Change, int, Type]] = {}
    for change in changes:
        at = (change.table, change.key)
        before = last.pop(at, None)
        if before is None:
            last[at] = (change, 1, change.type)
        else:
            last[at] = (change, before[1] + 1, before[2])
    found: list[tuple[Change, int]] = []
    for change, count, first in last.values():
        if change.type == "D":
            if first != "A":
                found.append((change, count))
            continue
        type_: Type = "A" if first == "A" else "M"
        found.append(
            (
                Change(change.number, change.table, type_, change.key, change.row, change.revision),
                count,
            )
        )
    return found
