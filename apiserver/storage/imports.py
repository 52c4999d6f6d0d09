"""Changes from elsewhere, with revisions and times of their own, put into a hidden cluster.

Who calls has checked them: revisions rise, and each change fits what was there before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from apimachinery.meta import Obj
from apiserver.storage import codec, rows
from apiserver.storage.staging import LARGEST
from apiserver.storage.types import EventType, Key

__all__ = ["LARGEST", "Imported", "add", "imported"]


@dataclass(frozen=True, slots=True)
class Imported:
    """One change, encoded as it is stored."""

    key: Key
    type: EventType
    uid: str
    revision: int
    raw: bytes
    attrs: bytes
    at: float
    actor: str
    trace: str


def imported(
    key: Key,
    type_: EventType,
    revision: int,
    obj: Obj,
    index: tuple[dict[str, str], dict[str, str]],
    about: tuple[float, str, str],
) -> Imported:
    """Encode a change. `index`: its labels and fields; `about`: when, by whom, in which request."""
    head, tail, _ = codec.encode(obj)
    raw = b"%b%d%b" % (head, revision, tail)
    attrs = codec.encode_attrs(*index)
    return Imported(key, type_, obj["metadata"]["uid"], revision, raw, attrs, *about)


def add(cursor: CursorWrapper, cluster: int, changes: Sequence[Imported]) -> None:
    """Log changes, and make the objects those that they leave."""
    last = {one.key: one for one in changes}
    gone = [(cluster, *one.key) for one in last.values() if one.type == "DELETED"]
    kept = [one for one in last.values() if one.type != "DELETED"]
    rows.delete(cursor, gone)
    rows.upsert(cursor, [(cluster, *o.key, o.uid, o.revision, o.raw, o.attrs) for o in kept])
    rows.log(
        cursor,
        [
            (cluster, o.revision, *o.key, o.type, o.uid, o.raw, o.attrs, o.at, o.actor, o.trace)
            for o in changes
        ],
    )
