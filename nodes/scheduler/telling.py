"""What the scheduler tells of its decisions: Events, and the condition of a pod."""

from __future__ import annotations

import logging

from apimachinery.errors import ApiError
from apimachinery.meta import name_of
from nodes.client.events import NORMAL, WARNING
from nodes.scheduler.binding import Failure
from nodes.scheduler.cycle import Outcome
from nodes.scheduler.framework import Writer
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.status import Patcher
from nodes.scheduler.voices import Voices

log = logging.getLogger(__name__)

# As long as an Event's note may be; a condition has the whole sentence.
_LONGEST, _CUT = 1024, " ..."


class Teller:
    """Speaks in the name of the scheduler that a pod has chosen."""

    def __init__(self, voices: Voices, patcher: Patcher, writer: Writer) -> None:
        self._voices, self._patcher, self._writer = voices, patcher, writer

    def bound(self, pod: PodInfo, node: str) -> None:
        """Tell of a pod that has its node."""
        message = f"Successfully assigned {pod.namespace}/{pod.name} to {node}"
        self._voices.of(pod.scheduler).event(
            pod.obj, NORMAL, "Scheduled", message, action="Binding"
        )

    async def refused(self, pod: PodInfo, outcome: Outcome) -> None:
        """Tell why no node fits, and do what may help the next attempt."""
        await self._say(pod, outcome.message, nominated=outcome.nominated)
        for write in outcome.writes:
            try:
                await self._writer.patch(write.kind, write.obj, write.patch, write.subresource)
                if write.last:
                    await self._writer.delete(write.kind, write.obj)
            except ApiError as error:
                log.debug("not written: %s %s: %s", write.kind, name_of(write.obj), error.message)

    async def failed(self, pod: PodInfo, failure: Failure, nominated: str = "") -> None:
        """Tell why a pod is not bound though there was a node for it, or will be."""
        reason = "Unschedulable" if failure.rejected else "SchedulerError"
        await self._say(pod, failure.message, reason, nominated=nominated)

    async def _say(
        self,
        pod: PodInfo,
        message: str,
        reason: str = "Unschedulable",
        *,
        nominated: str | None,
    ) -> None:
        """Tell why a pod has no node: an Event, and its condition."""
        note = message if len(message) <= _LONGEST else message[: _LONGEST - len(_CUT)] + _CUT
        self._voices.of(pod.scheduler).event(
            pod.obj, WARNING, "FailedScheduling", note, action="Scheduling"
        )
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": reason,
            "message": message,
        }
        await self._patcher.tried(pod, condition, nominated=nominated)
