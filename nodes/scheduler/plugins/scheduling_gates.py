"""SchedulingGates: a pod with gates waits outside the queue until all of them are removed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from nodes.scheduler.framework import (
    SUCCESS,
    Event,
    Hint,
    PreEnqueuePlugin,
    Readers,
    Status,
    always,
)
from nodes.scheduler.podinfo import PodInfo


class SchedulingGates(PreEnqueuePlugin):
    """Refuses entry while spec.schedulingGates is not empty."""

    name = "SchedulingGates"

    def hints(self) -> Mapping[Event, Hint]:
        return {Event.OWN_GATES: always}

    def looks_at(self, pod: PodInfo) -> Hashable:
        return None

    def pre_enqueue(self, pod: PodInfo, readers: Readers) -> Status:
        gates = pod.spec.get("schedulingGates")
        if not gates:
            return SUCCESS
        names = " ".join(gate.get("name", "") for gate in gates)
        return Status.unresolvable(f"waiting for scheduling gates: [{names}]")
