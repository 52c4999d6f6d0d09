"""What the scheduler writes into pods: a condition, and which node is to be theirs."""

from __future__ import annotations

import logging

from apimachinery.clock import Clock
from apimachinery.errors import ApiError
from apimachinery.meta import Obj
from apimachinery.nodes import condition as condition_of
from nodes.client import resources
from nodes.client.rest import STRATEGIC_PATCH, Client
from nodes.scheduler.podinfo import PodInfo

log = logging.getLogger(__name__)


class Patcher:
    """Writes what has changed, and nothing where nothing has."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock

    async def say(
        self, pod: PodInfo, condition: Obj | None = None, *, nominated: str | None = None
    ) -> None:
        """Write a condition and a nominated node ("": none); what is None stays as it is.

        Raises ApiError.
        """
        status: Obj = {}
        if condition is not None:
            if generation := pod.obj["metadata"].get("generation"):
                condition = {**condition, "observedGeneration": generation}
            old = condition_of(pod.obj, condition["type"]) or {}
            if any(old.get(key) != value for key, value in condition.items()):
                status["conditions"] = [self._dated(condition, old)]
        if nominated is not None and nominated != pod.nominated:
            status["nominatedNodeName"] = nominated or None
        if status:
            where = (resources.PODS, pod.namespace, pod.name)
            await self._client.patch(*where, {"status": status}, STRATEGIC_PATCH, "status")

    async def tried(
        self, pod: PodInfo, condition: Obj | None = None, *, nominated: str | None = None
    ) -> bool:
        """Do the same where nothing depends on it; tell whether it went well."""
        try:
            await self.say(pod, condition, nominated=nominated)
        except ApiError as error:
            log.debug("status refused: %s/%s: %s", *pod.key, error.message)
            return False
        return True

    def _dated(self, condition: Obj, old: Obj) -> Obj:
        if old.get("status") == condition["status"]:
            return dict(condition)
        return {**condition, "lastTransitionTime": self._clock.timestamp()}
