"""Reading and trimming the log: what changed, what was, and what may be forgotten.

The log keeps, for every revision from the floor on, all that is needed to tell the state at that
revision: trimming leaves the last change of each object that was there at the floor.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from django.db.backends.utils import CursorWrapper

from apiserver.storage import rows
from apiserver.storage.types import ChangeRecord, Entry, Event, Key

_CHANGES = """
SELECT resource, namespace, name, uid, revision, body, attrs, type FROM "change"
WHERE cluster_id = %s AND revision > %s AND revision <= %s ORDER BY revision LIMIT %s
"""
_CHANGES_OF = """
SELECT resource, namespace, name, uid, revision, body, attrs, type FROM "change"
WHERE cluster_id = %s AND revision > %s AND revision <= %s AND resource = %s ORDER BY revision
LIMIT %s
"""
_BEFORE = """
SELECT resource, namespace, name, uid, revision, body, attrs, type FROM "change"
WHERE cluster_id = %s AND resource = %s AND namespace = %s AND name = %s AND revision < %s
ORDER BY revision DESC LIMIT 1
"""
_STATE = """
SELECT resource, namespace, name, uid, revision, body, attrs FROM "change"
WHERE cluster_id = %s AND type <> 'DELETED' AND revision IN (
  SELECT MAX(revision) FROM "change"
  WHERE cluster_id = %s AND resource = %s AND revision <= %s GROUP BY namespace, name)
"""
_STATE_IN = """
SELECT resource, namespace, name, uid, revision, body, attrs FROM "change"
WHERE cluster_id = %s AND type <> 'DELETED' AND revision IN (
  SELECT MAX(revision) FROM "change"
  WHERE cluster_id = %s AND resource = %s AND revision <= %s AND namespace = %s GROUP BY name)
"""
_STATE_OF_ALL = """
SELECT resource, namespace, name, uid, revision, body, attrs FROM "change"
WHERE cluster_id = %s AND type <> 'DELETED' AND revision IN (
  SELECT MAX(revision) FROM "change"
  WHERE cluster_id = %s AND revision <= %s GROUP BY resource, namespace, name)
"""
_RECORDS = """
SELECT resource, namespace, name, uid, revision, body, attrs, type, at, actor, trace FROM "change"
WHERE cluster_id = %s AND revision < %s ORDER BY revision DESC LIMIT %s
"""
_RECORDS_OF = """
SELECT resource, namespace, name, uid, revision, body, attrs, type, at, actor, trace FROM "change"
WHERE cluster_id = %s AND revision < %s AND resource = %s AND namespace = %s AND name = %s
ORDER BY revision DESC LIMIT %s
"""
_FLOOR = 'UPDATE "cluster" SET compacted = %s WHERE id = %s AND compacted < %s'
_WINDOW = """
SELECT revision FROM "change" WHERE cluster_id = %s AND revision > %s AND revision <= %s
ORDER BY revision LIMIT %s
"""
_FORGET = """
DELETE FROM "change" WHERE cluster_id = %s AND revision > %s AND revision <= %s
AND (type = 'DELETED' OR EXISTS (
  SELECT 1 FROM "change" AS later WHERE later.cluster_id = "change".cluster_id
  AND later.resource = "change".resource AND later.namespace = "change".namespace
  AND later.name = "change".name AND later.revision > "change".revision
  AND later.revision <= %s))
"""

_BODY = 5
_LARGEST_PAGE = 2 * 1024 * 1024


def changes(
    cursor: CursorWrapper, cluster: int, resource: str | None, after: int, upto: int, limit: int
) -> list[Event]:
    """Return the first `limit` events of (after, upto], each with the state before it.

    With a limit they are fewer where they are large: `limit` is what may be in memory at once.
    """
    if resource is None:
        cursor.execute(_CHANGES, [cluster, after, upto, limit])
    else:
        cursor.execute(_CHANGES_OF, [cluster, after, upto, resource, limit])
    found = _bounded(cursor) if limit < sys.maxsize else cursor.fetchall()
    last: dict[Key, Entry | None] = {}
    events = []
    for entry, row in zip(rows.entries(row[:-1] for row in found), found, strict=True):
        key, type_ = entry.key, row[-1]
        previous = None
        if type_ != "ADDED":
            previous = last[key] if key in last else _before(cursor, cluster, entry)
        events.append(Event(type_, entry.revision, entry, previous))
        last[key] = entry
    return events


def _bounded(cursor: CursorWrapper) -> list[rows.Row]:
    found, size = [], 0
    for row in cursor:
        found.append(row)
        size += len(row[_BODY])
        if size > _LARGEST_PAGE:
            break
    return found


def _before(cursor: CursorWrapper, cluster: int, entry: Entry) -> Entry | None:
    cursor.execute(_BEFORE, [cluster, *entry.key, entry.revision])
    row = cursor.fetchone()
    return next(iter(rows.entries([row[:-1]]))) if row and row[-1] != "DELETED" else None


def state(
    cursor: CursorWrapper, cluster: int, resource: str | None, namespace: str | None, revision: int
) -> list[Entry]:
    """Return what a resource (or each) held at `revision`, in the order of paths."""
    if resource is None:
        cursor.execute(_STATE_OF_ALL, [cluster, cluster, revision])
    elif namespace is None:
        cursor.execute(_STATE, [cluster, cluster, resource, revision])
    else:
        cursor.execute(_STATE_IN, [cluster, cluster, resource, revision, namespace])
    # Sorted here: the database's own order depends on its locale.
    return sorted(
        rows.entries(cursor.fetchall()), key=lambda entry: (entry.key.resource, entry.key.path)
    )


def records(
    cursor: CursorWrapper, cluster: int, key: Key | None, before: int, limit: int
) -> list[ChangeRecord]:
    """Return the latest changes before a revision (of one object, or of all), latest first."""
    if key is None:
        cursor.execute(_RECORDS, [cluster, before, limit])
    else:
        cursor.execute(_RECORDS_OF, [cluster, before, *key, limit])
    found = cursor.fetchall()
    made = zip(rows.entries(row[:7] for row in found), found, strict=True)
    return [ChangeRecord(row[7], entry, *row[8:]) for entry, row in made]


def raise_floor(cursor: CursorWrapper, cluster: int, floor: int) -> None:
    """Say that nothing before `floor` will be told any more."""
    cursor.execute(_FLOOR, [floor, cluster, floor])


def forget(cursor: CursorWrapper, cluster: int, after: int, floor: int, limit: int) -> int | None:
    """Trim the next `limit` changes after `after`; return where to go on, None at the end.

    Changes go in the order of revisions, so a deletion is forgotten after what it deleted.
    """
    cursor.execute(_WINDOW, [cluster, after, floor, limit])
    window: Sequence[rows.Row] = cursor.fetchall()
    if not window:
        return None
    end = int(window[-1][0])
    cursor.execute(_FORGET, [cluster, after, end, floor])
    return end
