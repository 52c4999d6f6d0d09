"""The statements on objects and changes, and the rows that they take and give."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from django.db.backends.utils import CursorWrapper

from apiserver.storage import codec
from apiserver.storage.types import EMPTY, Entry, Key

Row: TypeAlias = tuple[Any, ...]

_UPSERT = """
INSERT INTO "object" (cluster_id, resource, namespace, name, uid, revision, body, attrs)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (cluster_id, resource, namespace, name) DO UPDATE SET
  uid = excluded.uid, revision = excluded.revision, body = excluded.body, attrs = excluded.attrs
"""
_DELETE = """
DELETE FROM "object" WHERE cluster_id = %s AND resource = %s AND namespace = %s AND name = %s
"""
_LOG = """
INSERT INTO "change" (cluster_id, revision, resource, namespace, name, type, uid, body, attrs,
  at, actor, trace)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_ADVANCE = 'UPDATE "cluster" SET revision = %s WHERE id = %s AND revision = %s'
_CURRENT = 'SELECT revision FROM "cluster" WHERE id = %s'
_OBJECTS = """
SELECT resource, namespace, name, uid, revision, body, attrs FROM "object" WHERE cluster_id = %s
"""


def upsert(cursor: CursorWrapper, rows: Sequence[Row]) -> None:
    cursor.executemany(_UPSERT, rows)


def delete(cursor: CursorWrapper, rows: Sequence[Row]) -> None:
    cursor.executemany(_DELETE, rows)


def log(cursor: CursorWrapper, rows: Sequence[Row]) -> None:
    cursor.executemany(_LOG, rows)


def advance(cursor: CursorWrapper, cluster: int, old: int, new: int) -> bool:
    """Move the cluster's revision; False when somebody else has moved it."""
    cursor.execute(_ADVANCE, [new, cluster, old])
    return bool(cursor.rowcount == 1)


def revision(cursor: CursorWrapper, cluster: int) -> int | None:
    """Return the cluster's revision as committed, None where there is no cluster."""
    cursor.execute(_CURRENT, [cluster])
    row = cursor.fetchone()
    return int(row[0]) if row else None


def object_row(cluster: int, entry: Entry, attrs: bytes) -> Row:
    """Return an entry as a row for `upsert`."""
    return (cluster, *entry.key, entry.uid, entry.revision, entry.raw, attrs)


def objects(cursor: CursorWrapper, cluster: int) -> dict[Key, Entry]:
    """Read all that a cluster holds now."""
    cursor.execute(_OBJECTS, [cluster])
    return {entry.key: entry for entry in entries(cursor.fetchall())}


def entries(rows: Iterable[Row]) -> Iterable[Entry]:
    """Make entries of rows (resource, namespace, name, uid, revision, body, attrs)."""
    for resource, namespace, name, uid, at, body, attrs in rows:
        labels, fields = codec.decode_attrs(bytes(attrs), EMPTY)
        # A cluster has few resources and namespaces and many objects: one string each.
        key = Key(sys.intern(resource), sys.intern(namespace), name)
        yield Entry(key, uid, at, bytes(body), labels, fields)
