"""Control API: a new cluster that goes on where a recording ends.

POST /kubeground/v1/clusters/NAME/import?owner=&expires=   the body is the file
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from apimachinery.errors import BadRequest, Invalid, TooManyRequests
from apiserver.registry.catalog import Catalog
from apiserver.storage import ClusterRecord, Imported
from nodes.client.loopclock import LoopClock
from playground import control_clusters
from playground.control_call import Answer, Call, Routes
from playground.limits import LARGEST_RECORDING as LARGEST
from playground.recorded import Recorded

__all__ = ["LARGEST", "ROUTES"]

_CATALOG = Catalog()
# One at a time: each takes a thread, and its file is in memory.
_BUSY = asyncio.Lock()


async def import_recording(call: Call) -> Answer:
    wanted: dict[str, Any] = {"name": call.name, "owner": call.text("owner"), "expires": None}
    if given := call.text("expires"):
        wanted["expires"] = _seconds(given)
    if errors := list(control_clusters.new_errors(wanted)):
        raise Invalid(control_clusters.KIND, call.name, errors)
    if _BUSY.locked():
        raise TooManyRequests("another recording is being imported: try again in a minute", 30)
    async with _BUSY:
        now = LoopClock().seconds()
        recorded = await asyncio.to_thread(Recorded, call.body, now, _CATALOG)
        record = ClusterRecord(
            name=call.name,
            owner=wanted["owner"],
            template=recorded.template,
            nodes=recorded.nodes,
            revision=recorded.newest,
            compacted=recorded.oldest,
        )
        made = await call.fleet.import_log(
            _batches(recorded), record, expires=wanted["expires"], moments=recorded.moments
        )
    return 201, control_clusters.summary(made) | {
        "kubeconfig": made.admin_kubeconfig(holder=wanted["owner"]),
        "changes": recorded.changes - recorded.skipped.total(),
        "secrets": recorded.secrets,
        "skipped": dict(recorded.skipped),
    }


async def _batches(recorded: Recorded) -> AsyncIterator[Sequence[Imported]]:
    while batch := await asyncio.to_thread(recorded.batch):
        yield batch


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadRequest("expires: must be seconds since 1970") from None


ROUTES: Routes = {("POST", 2, "import"): import_recording}
