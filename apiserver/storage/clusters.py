"""The rows of clusters: made with all their first objects at once, listed, and removed in steps.

Each function runs in a transaction of its caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from django.db.backends.utils import CursorWrapper

from apiserver.storage import rows
from apiserver.storage.errors import ClusterExists, NoCluster, StorageError
from apiserver.storage.staging import Head, Prepared, Staged
from apiserver.storage.types import ClusterRecord, Entry, Key, Write

_INSERT = """
INSERT INTO "cluster" (name, uid, owner, template, nodes, created, revision, compacted,
  ca_cert, ca_key, sa_key, settings, deleting)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SELECT = """
SELECT name, uid, owner, template, nodes, created, revision, compacted, ca_cert, ca_key, sa_key,
  settings, id
FROM "cluster" WHERE deleting = %s
"""
_NUMBER = 'SELECT id FROM "cluster" WHERE name = %s'
_FIND = _SELECT + " AND name = %s"
_UPDATE = """
UPDATE "cluster" SET owner = %s, template = %s, nodes = %s, ca_cert = %s, ca_key = %s,
  sa_key = %s, settings = %s
WHERE id = %s
"""
# The name is free again at once; the rows go step by step.
_MARK = 'UPDATE "cluster" SET deleting = %s, name = %s WHERE id = %s'
_MARKED = 'SELECT id FROM "cluster" WHERE deleting = %s'
_REMOVE_CHANGES = """
DELETE FROM "change" WHERE cluster_id = %s AND revision IN (
  SELECT revision FROM "change" WHERE cluster_id = %s ORDER BY revision LIMIT %s)
"""
_REMOVE_OBJECTS = """
DELETE FROM "object" WHERE cluster_id = %s AND (resource, namespace, name) IN (
  SELECT resource, namespace, name FROM "object" WHERE cluster_id = %s LIMIT %s)
"""
_REMOVE = 'DELETE FROM "cluster" WHERE id = %s'


def create(
    cursor: CursorWrapper, record: ClusterRecord, objects: Sequence[Write], now: float
) -> dict[Key, Entry]:
    """Insert a cluster with its first objects; `record` gets its number and revision.

    Raises ClusterExists, or the refusal of an object.
    """
    if exists(cursor, record.name):
        raise ClusterExists(record.name)
    record.revision = record.compacted = 0
    head = Head(insert(cursor, record, name=record.name), 0, {}, lambda _events: None)
    staged = Staged(head)
    for write in objects:
        outcome = staged.add(Prepared(write, now))
        if isinstance(outcome, StorageError):
            raise outcome
    if staged.changes:
        rows.upsert(cursor, staged.upserts())
        rows.log(cursor, staged.changes)
        rows.advance(cursor, head.cluster, 0, staged.revision)
    staged.commit()
    record.id, record.revision = head.cluster, head.revision
    return head.entries


def insert(cursor: CursorWrapper, record: ClusterRecord, *, name: str, hidden: bool = False) -> int:
    """Insert a cluster's row; return its number."""
    values: list[Any] = [name, record.uid, record.owner, record.template, record.nodes]
    values += [record.created, record.revision, record.compacted]
    values += [record.ca_cert, record.ca_key, record.sa_key]
    cursor.execute(_INSERT, [*values, _settings(record), hidden])
    cursor.execute(_NUMBER, [name])
    return int(cursor.fetchone()[0])


def exists(cursor: CursorWrapper, name: str) -> bool:
    """Tell whether a cluster has a name."""
    return _row(cursor, name) is not None


def find(cursor: CursorWrapper, name: str) -> ClusterRecord:
    """Return a cluster by name. Raises NoCluster."""
    row = _row(cursor, name)
    if row is None:
        raise NoCluster(name)
    return _record(row)


def every(cursor: CursorWrapper) -> list[ClusterRecord]:
    """Return all clusters, by name."""
    cursor.execute(_SELECT, [False])
    return sorted(map(_record, cursor.fetchall()), key=lambda record: record.name)


def update(cursor: CursorWrapper, record: ClusterRecord) -> None:
    """Store what may change of a cluster after its creation."""
    values: list[Any] = [record.owner, record.template, record.nodes]
    values += [record.ca_cert, record.ca_key, record.sa_key]
    cursor.execute(_UPDATE, [*values, _settings(record), record.id])


def mark(cursor: CursorWrapper, cluster: int) -> None:
    """Take a cluster out of sight; its rows are removed afterwards, even by a later process."""
    cursor.execute(_MARK, [True, f"~{cluster}", cluster])


def marked(cursor: CursorWrapper) -> list[int]:
    """Return the clusters whose rows remain to be removed."""
    cursor.execute(_MARKED, [True])
    return [int(row[0]) for row in cursor.fetchall()]


def remove(cursor: CursorWrapper, cluster: int, limit: int) -> bool:
    """Remove up to `limit` rows of a marked cluster; False once nothing of it is left."""
    for statement in (_REMOVE_CHANGES, _REMOVE_OBJECTS):
        cursor.execute(statement, [cluster, cluster, limit])
        if cursor.rowcount:
            return True
    cursor.execute(_REMOVE, [cluster])
    return False


def _row(cursor: CursorWrapper, name: str) -> rows.Row | None:
    cursor.execute(_FIND, [False, name])
    row: rows.Row | None = cursor.fetchone()
    return row


def _settings(record: ClusterRecord) -> str:
    return orjson.dumps(dict(record.settings)).decode()


def _record(row: rows.Row) -> ClusterRecord:
    values, settings, number = row[:-2], row[-2], row[-1]
    # SQLite gives JSON as text, PostgreSQL as what it means, unless Django has its way.
    known = orjson.loads(settings) if isinstance(settings, str | bytes) else settings
    record = ClusterRecord(*values)
    record.settings, record.id = known, int(number)
    return record
