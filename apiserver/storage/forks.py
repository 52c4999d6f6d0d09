"""A new cluster whose store begins as that of another stood at a revision.

The rows are copied as they are: objects keep their uids, their resourceVersions, and who wrote
them last. The log of the copy is that of the original as trimming at the revision would leave it,
so that it begins there. Until everything is copied the new cluster is marked as one that goes: a
process that ends in between leaves nothing that is seen, and the next one removes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper

from apiserver.storage import clusters, rows
from apiserver.storage.errors import ClusterExists
from apiserver.storage.types import ClusterRecord, Key

_STATE = """
SELECT revision, resource, namespace, name, type, uid, body, attrs, at, actor, trace FROM "change"
WHERE cluster_id = %s AND type <> 'DELETED' AND revision IN (
  SELECT MAX(revision) FROM "change"
  WHERE cluster_id = %s AND revision <= %s GROUP BY resource, namespace, name)
ORDER BY revision
"""
_REVEAL = 'UPDATE "cluster" SET name = %s, deleting = %s WHERE id = %s'


def state(cursor: CursorWrapper, cluster: int, revision: int) -> Sequence[rows.Row]:
    """Return the last change of each object that was there at `revision`."""
    cursor.execute(_STATE, [cluster, cluster, revision])
    found: Sequence[rows.Row] = cursor.fetchall()
    return found


def begin(cursor: CursorWrapper, record: ClusterRecord) -> int:
    """Insert a cluster that nobody sees yet; return its number. Raises ClusterExists."""
    if clusters.exists(cursor, record.name):
        raise ClusterExists(record.name)
    return clusters.insert(cursor, record, name=f"~{record.uid}", hidden=True)


def copy(cursor: CursorWrapper, cluster: int, changes: Sequence[rows.Row]) -> None:
    """Copy objects with their last changes into a cluster."""
    logged: list[rows.Row] = []
    objects: list[rows.Row] = []
    for revision, resource, namespace, name, type_, uid, body, attrs, *rest in changes:
        raw, index = bytes(body), bytes(attrs)
        key = Key(resource, namespace, name)
        logged.append((cluster, revision, *key, type_, uid, raw, index, *rest))
        objects.append((cluster, *key, uid, revision, raw, index))
    rows.upsert(cursor, objects)
    rows.log(cursor, logged)


def reveal(cursor: CursorWrapper, cluster: int, name: str) -> None:
    """Let a cluster be seen under its name. Raises ClusterExists."""
    if clusters.exists(cursor, name):
        raise ClusterExists(name)
    values: list[Any] = [name, False, cluster]
    cursor.execute(_REVEAL, values)
