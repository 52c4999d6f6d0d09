"""SchedulingGates: a pod with gates waits outside the queue until all of them are removed."""

from __future__ import annotations

from nodes.scheduler.framework import SUCCESS, Event, PreEnqueuePlugin, Reader, Status
from nodes.scheduler.podinfo import PodInfo


class SchedulingGates(PreEnqueuePlugin):
    """Refuses entry while spec.schedulingGates is not empty."""

    name = "SchedulingGates"
    retry_on = frozenset({Event.POD_ITSELF})

    def pre_enqueue(self, pod: PodInfo, readers: dict[str, Reader]) -> Status:
        gates = pod.spec.get("schedulingGates")
        if not gates:
            return SUCCESS
        names = " ".join(gate.get("name", "") for gate in gates)
        return Status.unresolvable(f"waiting for scheduling gates: [{names}]")
