"""What has to be thrown away now and then: old events, and history beyond what is kept.

One round for the whole process every five minutes looks at every cluster; a cluster without news
costs it two comparisons. Kubernetes keeps events for an hour (`--event-ttl`) and compacts etcd
every five minutes; history is what the timeline shows, so more of it is kept here.
"""

from __future__ import annotations

import asyncio
import logging

from apimachinery.clock import parse_time
from apimachinery.errors import ApiError
from apimachinery.meta import Obj, name_of, namespace_of
from nodes.client import resources
from nodes.client.rest import Client
from playground.cluster import API_USER, RunningCluster
from playground.fleet import Fleet
from playground.resting import EXPIRES, now

log = logging.getLogger(__name__)

EVERY = 300.0
EVENT_SECONDS = 3600.0
# Some 4 KB each: 200 MB of history for a cluster that is busy, days of it for one that is not.
KEPT_REVISIONS = 50_000
# Compaction in steps of this many, so that it is worth its transaction.
_STEP = 5_000
# Other work gets its turn after so many deletions.
_DELETIONS_IN_A_ROW = 50


async def keep_house(fleet: Fleet) -> None:
    """Go round, until cancelled."""
    while True:
        await asyncio.sleep(EVERY)
        for cluster in fleet:
            try:
                await tidy(cluster)
            except Exception:
                log.exception("housekeeping failed: %s", cluster.name)
        await end_of_time(fleet, now())


async def end_of_time(fleet: Fleet, moment: float) -> None:
    """Pause the clusters whose time is up."""
    for cluster in fleet:
        expires = cluster.store.record.settings.get(EXPIRES)
        if expires and expires <= moment:
            try:
                await fleet.pause(cluster.name)
            except Exception:
                log.exception("cannot pause %s, whose time is up", cluster.name)


async def tidy(cluster: RunningCluster) -> None:
    """Delete a cluster's events that have had their time, and forget its oldest history."""
    await _expire_events(cluster)
    store = cluster.store
    floor = store.revision - KEPT_REVISIONS
    if floor - store.oldest >= _STEP:
        await store.compact(floor)


async def _expire_events(cluster: RunningCluster) -> None:
    entries = cluster.store.list("events")
    if not entries:
        return
    client = Client(cluster.transport(API_USER))
    limit = cluster.clock.seconds() - EVENT_SECONDS
    gone = 0
    for entry in entries:
        event = entry.obj()
        if last_seen(event) >= limit:
            continue
        try:
            await client.delete(resources.EVENTS, namespace_of(event), name_of(event))
        except ApiError as error:
            log.debug("an event stays: %s", error.message)
        gone += 1
        if gone % _DELETIONS_IN_A_ROW == 0:
            await asyncio.sleep(0)


def last_seen(event: Obj) -> float:
    """Return when an event was last written, in seconds since the epoch."""
    series = event.get("series") or {}
    stamp = (
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"]["creationTimestamp"]
    )
    return parse_time(stamp).timestamp()
