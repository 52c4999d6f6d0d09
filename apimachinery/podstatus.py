"""What `kubectl get pods` shows of a pod: READY, STATUS, RESTARTS and the wide columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apimachinery.clock import parse_time
from apimachinery.duration import human_duration
from apimachinery.meta import Obj, is_deleting
from apimachinery.nodes import condition_status
from apimachinery.podparts import TERMINAL, Pod, containers, init_containers, is_sidecar, phase_of

NODE_LOST = "NodeLost"
_GATED = "SchedulingGated"

_COMPLETED = {"type": "Completed", "status": "True"}
_CONDITIONS = {
    "Succeeded": {
        **_COMPLETED,
        "reason": "Succeeded",
        "message": "The pod has completed successfully.",
    },
    "Failed": {**_COMPLETED, "reason": "Failed", "message": "The pod failed."},
}


@dataclass(slots=True)
class _Summary:
    reason: str
    total: int
    ready: int = 0
    restarts: int = 0
    last_restart: str = ""

    def count(self, status: Mapping[str, Any]) -> None:
        self.restarts += status.get("restartCount") or 0
        ended = ((status.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or ""
        # RFC 3339 in UTC: the later one is the greater text.
        self.last_restart = max(self.last_restart, ended)


def display_status(pod: Pod) -> str:
    """Return the STATUS column."""
    return _summary(pod).reason


def ready_ratio(pod: Pod) -> str:
    """Return the READY column: "1/2"."""
    summary = _summary(pod)
    return f"{summary.ready}/{summary.total}"


def restart_count(pod: Pod, now: float) -> str:
    """Return the RESTARTS column: "0", or "3 (2m ago)"."""
    return _restarts(_summary(pod), now)


def cells(pod: Pod, now: float) -> tuple[str, str, str]:
    """Return READY, STATUS and RESTARTS at once."""
    summary = _summary(pod)
    return f"{summary.ready}/{summary.total}", summary.reason, _restarts(summary, now)


def row_conditions(pod: Pod) -> tuple[Obj, ...]:
    """Return the conditions of the pod's table row: ended pods are marked as completed."""
    found = _CONDITIONS.get(phase_of(pod))
    return (found,) if found else ()


def readiness_gates(pod: Pod) -> str:
    """Return the wide column of readiness gates: "1/2", or "<none>"."""
    gates = (pod.get("spec") or {}).get("readinessGates") or ()
    if not gates:
        return "<none>"
    good = sum(condition_status(pod, gate.get("conditionType", "")) == "True" for gate in gates)
    return f"{good}/{len(gates)}"


def _restarts(summary: _Summary, now: float) -> str:
    if not summary.restarts or not summary.last_restart:
        return str(summary.restarts)
    ago = human_duration(now - parse_time(summary.last_restart).timestamp())
    return f"{summary.restarts} ({ago} ago)"


def _summary(pod: Pod) -> _Summary:
    status = pod.get("status") or {}
    reason = str(status.get("reason") or phase_of(pod))
    for one in status.get("conditions") or ():
        if one.get("type") == "PodScheduled" and one.get("reason") == _GATED:
            reason = _GATED
    sidecars = {c.get("name") for c in init_containers(pod) if is_sidecar(c)}
    summary = _Summary(reason, len(containers(pod)) + len(sidecars))
    initializing = _init_summary(pod, summary, sidecars)
    if not initializing or condition_status(pod, "Initialized") == "True":
        _main_summary(pod, summary, sidecars)
    if is_deleting(pod):
        if status.get("reason") == NODE_LOST:
            summary.reason = "Unknown"
        elif phase_of(pod) not in TERMINAL:
            summary.reason = "Terminating"
    return summary


def _init_summary(pod: Pod, summary: _Summary, sidecars: set[Any]) -> bool:
    """Count init containers up to the first that is not done; tell whether there is one."""
    found = (pod.get("status") or {}).get("initContainerStatuses") or ()
    for index, status in enumerate(found):
        summary.count(status)
        state = status.get("state") or {}
        ended = state.get("terminated")
        if ended is not None and not ended.get("exitCode"):
            continue
        if status.get("name") in sidecars and status.get("started"):
            summary.ready += bool(status.get("ready"))
            continue
        waiting = (state.get("waiting") or {}).get("reason")
        if ended is not None:
            summary.reason = "Init:" + _end_reason(ended)
        elif waiting and waiting != "PodInitializing":
            summary.reason = f"Init:{waiting}"
        else:
            summary.reason = f"Init:{index}/{len(init_containers(pod))}"
        return True
    return False


def _main_summary(pod: Pod, summary: _Summary, sidecars: set[Any]) -> None:
    status = pod.get("status") or {}
    # Restarts of init containers that are done no longer count; those of sidecars do.
    summary.restarts, summary.last_restart = 0, ""
    for one in status.get("initContainerStatuses") or ():
        if one.get("name") in sidecars:
            summary.count(one)
    running = False
    for one in reversed(status.get("containerStatuses") or ()):
        summary.count(one)
        state = one.get("state") or {}
        waiting, ended = (state.get("waiting") or {}).get("reason"), state.get("terminated")
        if waiting:
            summary.reason = waiting
        elif ended is not None:
            summary.reason = _end_reason(ended)
        elif one.get("ready") and state.get("running") is not None:
            running = True
            summary.ready += 1
    if summary.reason == "Completed" and running:
        ready = condition_status(pod, "Ready") == "True"
        summary.reason = "Running" if ready else "NotReady"


def _end_reason(ended: Mapping[str, Any]) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode') or 0}"
