"""Control API: what the log tells of a cluster. The impersonation headers say who looks.

GET /kubeground/v1/clusters/NAME/history            where the log begins, how busy it was, warnings
GET .../history/moment?rev=                         when a revision was
GET .../history/object?resource=&namespace=&name=   the writes of one object, the latest first
GET .../history/changes?after=&upto=                the writes of a range, without their objects
GET .../history/difference?a=&b=&namespace=         which objects are not the same at two revisions
GET .../history/state?rev=                          every object with a digest of what it says
GET .../history/recording?after=&upto=              the writes of a range, with their objects
GET .../history/facts?after=&upto=&seconds=         what happened, as `playground.history.facts`;
                        `seconds` are those before `upto`, or with `live` those before now
GET /kubeground/v1/clusters/NAME/revision?after=    the newest one, once it is another

What the viewer may not list is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias, TypeVar

import orjson

from apimachinery.errors import Expired, PathNotFound
from apimachinery.meta import Obj
from apiserver.endpoints.past import require
from apiserver.storage import ChangeRecord, ClusterStore, Compacted, Entry, Event, Key, past
from playground import control_difference
from playground.cluster import RunningCluster
from playground.control_call import Answer, Call, Routes
from playground.control_log import ask, place
from playground.control_shared import OfClusters
from playground.control_viewer import Viewer
from playground.failures import carrying
from playground.history.facts import facts
from playground.history.meaning import Write

T = TypeVar("T")

MOST_PARTS = 400
MOST_WARNINGS = 200
MOST_RECORDS = 300
MOST_CHANGES = 500
# What one page of a recording holds: some 20 ms of the loop to put together.
MOST_RECORDED, RECORDED_BYTES = 500, 2 * 1024 * 1024
# Writes whose facts are told; of more, the latest. Each is parsed twice: some 20 ms in all.
MOST_TOLD = 600
# The kinds that one misses most, where one may not list them.
TELLING = {kind: n for n, kind in enumerate(("pods", "deployments.apps", "services", "events"))}
# How long a question for the next revision is open, in seconds of the machine.
LONGEST_WAIT = 20.0


async def overview(call: Call) -> Answer:
    """Return the ends of the log, and of a range in it the density by resource, and warnings."""
    cluster = call.cluster()
    store, viewer = cluster.store, Viewer.of(call, cluster)
    oldest, newest = store.oldest, store.revision
    after = min(max(call.number("after", oldest), oldest), newest)
    upto = min(max(call.number("upto", newest), after), newest)
    parts = min(max(call.number("parts", 120), 1), MOST_PARTS)
    width = max(1, -(-(upto - after) // parts))
    listed = [one.key for one in cluster.api.catalog if "list" in one.verbs]
    unseen = [one for one in listed if not viewer.may_list(one)]
    # Between the parts, so that one can tell how fast the changes of a part came.
    places = [*range(after, upto, width), upto]

    def query(cursor: Any, number: int) -> tuple[Any, Any, Any]:
        return (
            past.density(cursor, number, after, upto, width, by_namespace=bool(unseen)),
            past.moments(cursor, number, places),
            past.warnings(cursor, number, after, upto, MOST_WARNINGS),
        )

    density, moments, warnings = await ask(store, after, query)
    counts: dict[str, dict[int, int]] = {}
    for resource, namespace, part, count in density:
        if viewer.may_list(resource) or (namespace and viewer.may_list(resource, namespace)):
            parts_of = counts.setdefault(resource, {})
            parts_of[part] = parts_of.get(part, 0) + count
    return 200, {
        "oldest": oldest,
        "newest": newest,
        "compacted": oldest > 0,
        "compacted_at": store.compacted_at,
        "now": cluster.clock.seconds(),
        "after": after,
        "upto": upto,
        "width": width,
        "density": [
            {"resource": resource, "parts": sorted(found.items())}
            for resource, found in sorted(counts.items())
        ],
        "moments": moments,
        "warnings": [
            {"revision": one.revision, "at": one.at, "namespace": one.key.namespace}
            | {"name": one.about, "kind": one.kind, "reason": one.reason}
            for one in warnings
            if viewer.may_list("events", one.key.namespace)
        ],
        "failures": [
            {"revision": one.revision, "what": one.what, "state": one.state}
            for one in cluster.failures.journal.moments
            if after < one.revision <= upto
        ],
        "unseen": _unseen(viewer, listed, unseen),
    }


def _unseen(viewer: Viewer, listed: Sequence[str], unseen: Sequence[str]) -> dict[str, Any] | None:
    """Return which kinds the viewer may not list in all namespaces, those one misses most first."""
    if not unseen:
        return None
    kinds = sorted(unseen, key=lambda one: (TELLING.get(one, len(TELLING)), one))
    return {"kinds": kinds, "all": len(kinds) == len(listed), "text": viewer.refusal(kinds[0])}


async def newest(call: Call) -> Answer:
    """Return the revision, after a while at the latest; sooner if it is not `after` any more."""
    store = call.cluster().store
    if store.revision == call.number("after", 0):
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT):
                await asyncio.shield(store.hub.moved())
    return 200, {"revision": store.revision}


async def moment(call: Call) -> Answer:
    """Return when a revision was, and where the log begins and ends. 410 and 504 as the API."""
    store = call.cluster().store
    revision = call.number("rev", store.revision)
    require(store, revision)
    found = await ask(store, revision, lambda cursor, n: past.moments(cursor, n, [revision]))
    at = found[0][1] if found else store.record.created
    ends = {"oldest": store.oldest, "newest": store.revision}
    return 200, {"revision": revision, "at": at, **ends}


async def of_object(call: Call) -> Answer:
    """Return the writes of one object with the object after each, the latest first."""
    cluster = call.cluster()
    key = Key(call.text("resource"), call.text("namespace"), call.text("name"))
    Viewer.of(call, cluster).require_get(key)
    store = cluster.store
    before = call.number("before", store.revision + 1)
    limit = min(call.number("limit", 50), MOST_RECORDS)
    records = await store.records(key=key, before=before, limit=limit + 1)
    shown = records[:limit]
    return 200, {
        "oldest": store.oldest,
        "newest": store.revision,
        "items": [
            _record(record) | {"object": orjson.Fragment(record.entry.raw)} for record in shown
        ],
        "more": len(records) > limit,
    }


async def changes(call: Call) -> Answer:
    """Return the first writes of a range, each in a line."""
    cluster = call.cluster()
    store, viewer = cluster.store, Viewer.of(call, cluster)
    after = call.number("after", store.oldest)
    require(store, after)
    upto = min(call.number("upto", store.revision), store.revision)
    limit = min(call.number("limit", 100), MOST_CHANGES)
    found = await ask(store, after, lambda cursor, n: past.headers(cursor, n, after, upto, limit))
    return 200, {
        "items": [
            {**place(one.key), "revision": one.revision, "type": one.type, "at": one.at}
            | {"actor": one.actor, "trace": one.trace}
            for one in found
            if viewer.may_list(one.key.resource, one.key.namespace)
        ],
        "upto": found[-1].revision if len(found) == limit else upto,
    }


async def recording(call: Call) -> Answer:
    """Return the next writes after a revision with their objects, as recordings have them."""
    cluster = call.cluster()
    store, viewer = cluster.store, Viewer.of(call, cluster)
    after, upto = call.number("after", 0), min(call.number("upto", store.revision), store.revision)
    found = await ask(
        store,
        store.oldest,
        lambda cursor, n: past.whole(cursor, n, after, upto, MOST_RECORDED, RECORDED_BYTES),
    )
    return 200, {
        "oldest": store.oldest,
        "newest": upto,
        "nodes": store.record.nodes,
        "template": store.record.template,
        # Of the file's beginning, which the first page is for.
        "failures": [] if after else carrying.recorded(cluster.failures.journal.moments, upto),
        "next": found[-1][0].revision if found else None,
        "changes": [
            {
                "revision": one.revision,
                "type": one.type,
                "at": one.at,
                "actor": one.actor,
                "trace": one.trace,
                **place(one.key),
                "object": orjson.Fragment(body),
            }
            for one, body in found
            if viewer.may_list(one.key.resource, one.key.namespace)
        ],
    }


async def told(call: Call) -> Answer:
    """Return what happened in a range of revisions, or in the last `seconds`.

    They count from the moment of `upto` where it is given and not `live`.
    """
    cluster = call.cluster()
    store, viewer = cluster.store, Viewer.of(call, cluster)
    upto = min(call.number("upto", store.revision), store.revision)
    after = max(call.number("after", store.oldest), store.oldest)
    seconds = call.number("seconds", 0)
    first = max(after, upto - MOST_TOLD)
    events, records = await _range(cluster, first, upto)
    past = call.text("upto") and not call.text("live")
    end = records[upto].at if past and upto in records else cluster.clock.seconds()
    begin = end - seconds if seconds else 0.0
    visible = [
        (event, records[event.revision])
        for event in events
        if event.revision in records and records[event.revision].at >= begin
        if viewer.may_list(event.entry.key.resource, event.entry.key.namespace)
    ]
    return 200, {
        "after": first,
        "upto": upto,
        "left_out": max(0, first - after) if not seconds else 0,
        "items": _facts(cluster, visible),
    }


Range: TypeAlias = tuple[Sequence[Event], dict[int, ChangeRecord]]


@dataclass(slots=True)
class _Lately:
    """The writes that were read last, and what was told last of some of them."""

    ends: tuple[int, int] = (-1, -1)
    writes: Range = ((), {})
    seen: tuple[int, ...] = ()
    facts: Sequence[dict[str, Any]] = ()


_LATELY = OfClusters(_Lately)


async def _range(cluster: RunningCluster, first: int, upto: int) -> Range:
    """Return the writes of a range, and what is recorded of them."""
    lately = _LATELY[cluster]
    if lately.ends == (first, upto):
        return lately.writes
    events = await _changes(cluster.store, first, upto)
    records = await _records(cluster.store, first, upto)
    found = events, {one.entry.revision: one for one in records}
    lately.ends, lately.writes = (first, upto), found
    return found


def _facts(
    cluster: RunningCluster, visible: Sequence[tuple[Event, ChangeRecord]]
) -> Sequence[dict[str, Any]]:
    """Return the facts of some writes: who sees the same writes is told the same."""
    lately, revisions = _LATELY[cluster], tuple(event.revision for event, _ in visible)
    if lately.seen != revisions:
        lately.facts = [asdict(fact) for fact in facts(_write(*one) for one in visible)]
        lately.seen = revisions
    return lately.facts


async def _changes(store: ClusterStore, after: int, upto: int) -> Sequence[Event]:
    try:
        return await store.changes(None, after, upto)
    except Compacted as gone:
        raise Expired(str(gone)) from None


async def _records(store: ClusterStore, after: int, upto: int) -> Sequence[ChangeRecord]:
    found = await store.records(before=upto + 1, limit=max(1, upto - after))
    return [record for record in found if record.entry.revision > after]


def _write(event: Event, record: ChangeRecord) -> Write:
    def parsed(entry: Entry | None) -> Obj | None:
        return None if entry is None else entry.obj()

    gone = event.type == "DELETED"
    return Write(
        resource=event.entry.key.resource,
        type=event.type,
        revision=event.revision,
        at=record.at,
        actor=record.actor,
        trace=record.trace,
        before=parsed(event.previous or event.entry) if gone else parsed(event.previous),
        after=None if gone else event.entry.obj(),
    )


def _record(record: ChangeRecord) -> dict[str, Any]:
    return {
        "revision": record.entry.revision,
        "type": record.type,
        "uid": record.entry.uid,
        "at": record.at,
        "actor": record.actor,
        "trace": record.trace,
    }


_PAGES: dict[str, Callable[[Call], Awaitable[Answer]]] = {
    "moment": moment,
    "object": of_object,
    "changes": changes,
    "difference": control_difference.difference,
    "facts": told,
    "recording": recording,
    "state": control_difference.state,
}


async def page(call: Call) -> Answer:
    """Answer one of the pages below `history`."""
    found = _PAGES.get(call.parts[2])
    if found is None:
        raise PathNotFound
    return await found(call)


ROUTES: Routes = {
    ("GET", 2, "history"): overview,
    ("GET", 3, "history"): page,
    ("GET", 2, "revision"): newest,
}
