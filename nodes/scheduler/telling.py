"""What the scheduler writes of its decisions: Events, conditions, and whom it sends away."""

from __future__ import annotations

import logging

from apimachinery.clock import Clock
from apimachinery.errors import ApiError
from apimachinery.meta import Obj, name_of
from nodes.client import resources
from nodes.client.events import NORMAL, WARNING, Recorder
from nodes.client.rest import STRATEGIC_PATCH, Client
from nodes.scheduler.binding import Failure
from nodes.scheduler.cycle import Outcome
from nodes.scheduler.framework import Writer
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.preemption import Candidate

log = logging.getLogger(__name__)


class Teller:
    """Speaks in the name of the scheduler that a pod has chosen."""

    def __init__(self, client: Client, recorder: Recorder, clock: Clock, writer: Writer) -> None:
        self._client, self._recorder = client, recorder
        self._clock, self._writer = clock, writer
        self._named: dict[str, Recorder] = {}

    def bound(self, pod: PodInfo, node: str) -> None:
        """Tell of a pod that has its node."""
        message = f"Successfully assigned {pod.namespace}/{pod.name} to {node}"
        self._of(pod).event(pod.obj, NORMAL, "Scheduled", message, action="Binding")

    async def refused(self, pod: PodInfo, outcome: Outcome) -> None:
        """Tell why no node fits, and do what may help the next attempt."""
        nominated = outcome.preemption.node if outcome.preemption is not None else ""
        await self._say(pod, outcome.message, nominated=nominated)
        for write in outcome.writes:
            try:
                await self._writer.patch(write.kind, write.obj, write.patch, write.subresource)
            except ApiError as error:
                log.debug("not written: %s %s: %s", write.kind, name_of(write.obj), error.message)
        if outcome.preemption is not None:
            await self._send_away(pod, outcome.preemption)

    async def failed(self, pod: PodInfo, failure: Failure, nominated: str = "") -> None:
        """Tell why a pod is not bound though there was a node for it, or will be."""
        reason = "Unschedulable" if failure.rejected else "SchedulerError"
        await self._say(pod, failure.message, reason, nominated=nominated)

    async def _say(
        self, pod: PodInfo, message: str, reason: str = "Unschedulable", *, nominated: str = ""
    ) -> None:
        """Tell why a pod has no node: an Event, and its condition."""
        self._of(pod).event(pod.obj, WARNING, "FailedScheduling", message, action="Scheduling")
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": reason,
            "message": message,
        }
        known = (pod.obj.get("status") or {}).get("conditions") or ()
        old: Obj = next((c for c in known if c.get("type") == condition["type"]), {})
        status: Obj = {"conditions": [condition]}
        if nominated:
            status["nominatedNodeName"] = nominated
        elif all(old.get(key) == value for key, value in condition.items()):
            return
        if old.get("status") != "False":
            condition["lastTransitionTime"] = self._clock.timestamp()
        await self._patch_status(pod, status)

    async def _send_away(self, pod: PodInfo, choice: Candidate) -> None:
        """Delete the victims of a preemption, with the condition that says why."""
        for victim in choice.victims:
            condition = {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "PreemptionByScheduler",
                "message": f"{pod.scheduler}: preempting to accommodate a higher priority pod",
                "lastTransitionTime": self._clock.timestamp(),
            }
            await self._patch_status(victim, {"conditions": [condition]})
            try:
                await self._client.delete(
                    resources.PODS, victim.namespace, victim.name, uid=victim.uid
                )
            except ApiError as error:
                log.debug("victim stays: %s/%s: %s", *victim.key, error.message)
                continue
            self._of(pod).event(
                victim.obj,
                NORMAL,
                "Preempted",
                f"Preempted by pod {pod.uid} on node {choice.node}",
                action="Preempting",
                related=pod.obj,
            )

    def _of(self, pod: PodInfo) -> Recorder:
        found = self._named.get(pod.scheduler)
        if found is None:
            found = self._named[pod.scheduler] = self._recorder.named(pod.scheduler)
        return found

    async def _patch_status(self, pod: PodInfo, status: Obj) -> None:
        try:
            await self._client.patch(
                resources.PODS,
                pod.namespace,
                pod.name,
                {"status": status},
                STRATEGIC_PATCH,
                "status",
            )
        except ApiError as error:
            log.debug("status refused: %s/%s: %s", *pod.key, error.message)
