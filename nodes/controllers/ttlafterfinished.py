"""Jobs that are over go after as many seconds as they say."""

from __future__ import annotations

from apimachinery.errors import NotFound
from apimachinery.meta import Obj, is_deleting, revision_of, uid_of
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key
from nodes.client.resources import JOBS
from nodes.controllers.common.base import ManagedController
from nodes.controllers.job.facts import finish_time, is_finished

_TTL = "ttlSecondsAfterFinished"


class TTLAfterFinishedController(ManagedController):
    """Keys are Jobs."""

    name = "ttl-after-finished-controller"
    service_account = "ttl-after-finished-controller"
    component = "ttl-after-finished-controller"
    reconciles = JOBS

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and _is_to_go(new):
            super().on_object(old, new)

    async def reconcile(self, key: Key) -> Result:
        job = self.informer(JOBS).get(*key)
        if job is None or (left := self._left(job)) is None:
            return DONE
        if left > 0:
            return Result(requeue_after=left)
        # The cache may not show yet that somebody wants to keep it.
        fresh = await self.client.find(JOBS, *key)
        if fresh is None or (left := self._left(fresh)) is None:
            return DONE
        if left > 0:
            return Result(requeue_after=left)
        revision = str(revision_of(fresh))
        try:
            await self.client.delete(
                JOBS, *key, uid=uid_of(fresh), revision=revision, propagation="Foreground"
            )
        except NotFound:
            return DONE
        return DONE

    def _left(self, job: Obj) -> float | None:
        """Return in how many seconds a Job is to go, None if it is not."""
        ended = finish_time(job) if _is_to_go(job) else None
        if ended is None:
            return None
        return ended + float(job["spec"][_TTL]) - self.clock.seconds()


def _is_to_go(job: Obj) -> bool:
    return job["spec"].get(_TTL) is not None and is_finished(job) and not is_deleting(job)
