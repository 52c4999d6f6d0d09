"""Control API: what is not the same at two revisions of a cluster, or in two clusters.

GET .../history/difference?a=&b=&namespace=   which objects differ between two revisions
GET .../history/state?rev=                    every object with a digest, to compare clusters by
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

import orjson

from apimachinery.errors import Expired
from apiserver.endpoints.past import require
from apiserver.storage import Compacted, Entry, past
from playground.control_call import Answer, Call
from playground.control_log import ask, place
from playground.control_viewer import Viewer

MOST_DIFFERENCES = 2_000
# Objects whose digests are made in one go: some 10 ms of a thread.
DIGESTED = 500
_OF_THE_WRITE = ("resourceVersion", "managedFields", "generation")


async def difference(call: Call) -> Answer:
    """Return which objects differ between revisions a and b."""
    cluster = call.cluster()
    store, viewer = cluster.store, Viewer.of(call, cluster)
    first, second = sorted((call.number("a", 0), call.number("b", store.revision)))
    require(store, first)
    require(store, second)
    namespace = call.text("namespace")
    found, touched = await ask(
        store,
        first,
        lambda cursor, n: past.differing(cursor, n, first, second, namespace, MOST_DIFFERENCES),
    )
    return 200, {
        "a": first,
        "b": second,
        "touched": touched,
        "more": len(found) == MOST_DIFFERENCES,
        "items": [
            {**place(one.key), "revision": one.revision, "change": _change(one)}
            for one in found
            if viewer.may_list(one.key.resource, one.key.namespace)
        ],
    }


async def state(call: Call) -> Answer:
    """Return what was there at a revision: resource, namespace, name, uid, and a digest.

    Equal digests mean equal objects, but for what every write changes of itself.
    """
    cluster = call.cluster()
    store, viewer = cluster.store, Viewer.of(call, cluster)
    revision = call.number("rev", store.revision)
    require(store, revision)
    try:
        entries = await store.snapshot(revision)
    except Compacted as gone:
        raise Expired(str(gone)) from None
    shown = [e for e in entries if viewer.may_list(e.key.resource, e.key.namespace)]
    items: list[tuple[str, ...]] = []
    for first in range(0, len(shown), DIGESTED):
        items += await asyncio.to_thread(_digests, shown[first : first + DIGESTED])
    return 200, {"revision": revision, "items": items}


def _digests(entries: Sequence[Entry]) -> list[tuple[str, ...]]:
    return [(*entry.key, entry.uid, _digest(entry)) for entry in entries]


def _digest(entry: Entry) -> str:
    obj = orjson.loads(entry.raw)
    for name in _OF_THE_WRITE:
        obj["metadata"].pop(name, None)
    text = orjson.dumps(obj, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=12).hexdigest()


def _change(one: past.Difference) -> str:
    if one.before is None:
        return "added"
    if one.after is None:
        return "removed"
    return "changed" if one.before == one.after else "replaced"
