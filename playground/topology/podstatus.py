"""What `kubectl get pods` prints as a pod's status, and why it is not running, in words.

Pure functions on a pod; nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Pod = Mapping[str, Any]
State = Mapping[str, Any]


def display_status(pod: Pod) -> str:
    """Return the word of the STATUS column."""
    status = pod.get("status") or {}
    word = str(status.get("reason") or status.get("phase") or "Unknown")
    if any(gate for gate in (pod.get("spec") or {}).get("schedulingGates") or ()):
        word = "SchedulingGated"
    init = _init_word(pod, status)
    word = init if init is not None else _container_word(status, word)
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return word


def readiness(pod: Pod) -> tuple[str, int]:
    """Return the READY column and the number of restarts."""
    status = pod.get("status") or {}
    containers = status.get("containerStatuses") or ()
    total = len((pod.get("spec") or {}).get("containers") or ())
    ready = sum(1 for container in containers if container.get("ready"))
    restarts = sum(int(container.get("restartCount") or 0) for container in containers)
    return f"{ready}/{total}", restarts


def why(pod: Pod) -> str:
    """Return the API's own sentence about what holds the pod up, or nothing."""
    status = pod.get("status") or {}
    for name, state in _states(status):
        waiting = state.get("waiting") or {}
        if waiting.get("message"):
            return f"{name}: {waiting['message']}"
        ended = state.get("terminated") or {}
        if ended.get("exitCode"):
            reason = ended.get("message") or ended.get("reason") or "Error"
            return f"{name}: {reason} (exit code {ended['exitCode']})"
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return str(condition.get("message") or condition.get("reason") or "")
    return str(status.get("message") or "")


def _states(status: Mapping[str, Any]) -> Iterator[tuple[str, State]]:
    """Yield each container's name and state, those that start first before the others."""
    for group in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(group) or ():
            yield str(container.get("name", "")), container.get("state") or {}


def _init_word(pod: Pod, status: Mapping[str, Any]) -> str | None:
    """Return "Init:..." while a container that must end or start first has not done so."""
    statuses = status.get("initContainerStatuses") or ()
    specs = (pod.get("spec") or {}).get("initContainers") or ()
    sidecars = {spec.get("name") for spec in specs if spec.get("restartPolicy") == "Always"}
    for position, container in enumerate(statuses):
        state = container.get("state") or {}
        ended = state.get("terminated")
        if ended and not ended.get("exitCode"):
            continue
        if container.get("name") in sidecars and container.get("started"):
            continue
        if ended:
            return f"Init:{_ended_word(ended)}"
        waiting = (state.get("waiting") or {}).get("reason")
        if waiting and waiting != "PodInitializing":
            return f"Init:{waiting}"
        return f"Init:{position}/{len(specs)}"
    return None


def _container_word(status: Mapping[str, Any], word: str) -> str:
    running = False
    for container in reversed(status.get("containerStatuses") or ()):
        state = container.get("state") or {}
        waiting = (state.get("waiting") or {}).get("reason")
        if waiting:
            word = str(waiting)
        elif ended := state.get("terminated"):
            word = _ended_word(ended)
        elif "running" in state and container.get("ready"):
            running = True
    if word == "Completed" and running:
        return "Running" if _is_ready(status.get("conditions") or ()) else "NotReady"
    return word


def _ended_word(ended: Mapping[str, Any]) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode', 0)}"


def _is_ready(conditions: Iterable[Mapping[str, Any]]) -> bool:
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
