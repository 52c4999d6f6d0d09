"""Control API: what is broken on purpose in a cluster. POST breaks something, DELETE mends it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from playground.cluster import RunningCluster
from playground.control_call import Answer, Call, Routes
from playground.failures.journal import Failure
from playground.failures.kinds import KINDS


async def everything(call: Call) -> Answer:
    cluster = call.cluster()
    journal = cluster.failures.journal
    return 200, {
        "items": [_document(cluster, one) for one in journal.failures.values()],
        "moments": [asdict(moment) for moment in reversed(journal.moments)],
        "kinds": [{"kind": kind.name, "fields": list(kind.fields)} for kind in KINDS.values()],
    }


async def begin(call: Call) -> Answer:
    body, cluster = call.json(), call.cluster()
    made = await cluster.failures.begin(body, by=str(body.get("by") or "")[:253])
    return 201, _document(cluster, made)


async def end(call: Call) -> Answer:
    cluster = call.cluster()
    return 200, _document(cluster, await cluster.failures.end(call.parts[2]))


async def end_all(call: Call) -> Answer:
    cluster = call.cluster()
    ended = await cluster.failures.end_all()
    return 200, {"items": [_document(cluster, one) for one in ended]}


def _document(cluster: RunningCluster, failure: Failure) -> dict[str, Any]:
    return {**asdict(failure), "active": failure.id in cluster.failures.journal.failures}


ROUTES: Routes = {
    ("GET", 2, "failures"): everything,
    ("POST", 2, "failures"): begin,
    ("DELETE", 2, "failures"): end_all,
    ("DELETE", 3, "failures"): end,
}
