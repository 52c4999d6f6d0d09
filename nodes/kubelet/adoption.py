"""Pods that a kubelet finds running when it starts, as a real one finds its containers running.

The runtime is told what the pods' status says of each container, and nothing is written: ids,
addresses, times and counts stay as they are, probes and waits go on. A status that does not say all
of it leaves the pod to be started as a new one. Programs go on when somebody meets them.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from apimachinery.clock import parse_time
from apimachinery.duration import parse_duration
from apimachinery.meta import Obj, is_deleting
from nodes.kubelet.claims import MountFailed
from nodes.kubelet.container_config import container_config, sandbox_config
from nodes.kubelet.environment import BadEnvironment
from nodes.kubelet.records import (
    FIRST_BACKOFF,
    LONGEST_BACKOFF,
    ContainerRecord,
    ended_status,
)
from nodes.runtime.cri import (
    ContainerMetadata,
    ContainerState,
    ContainerStatus,
    RuntimeCallError,
)
from nodes.runtime.recovery import KnownContainer, KnownPod

if TYPE_CHECKING:
    from nodes.kubelet.pod_worker import PodWorker

log = logging.getLogger(__name__)

_STATUSES = {
    "init": "initContainerStatuses",
    "main": "containerStatuses",
    "ephemeral": "ephemeralContainerStatuses",
}
_ID = re.compile(r"containerd://[0-9a-f]{64}")
_BACKOFF = re.compile(r"back-off (\S+) restarting failed container")
# Volumes that are filled from the API; all others hold what containers have written.
_FILLED = ("configMap", "secret", "downwardAPI", "projected")
_NANO = 1_000_000_000


class _Unclear(Exception):
    """The status does not say what has to be known."""


# As what a container waits for its first run.
_TURNS = ("PodInitializing", "ContainerCreating")


class Sleep:
    """The programs of an adopted pod until they go on."""

    def __init__(self, worker: PodWorker) -> None:
        self._worker = worker
        self._lock = asyncio.Lock()
        self.over = False

    async def end(self) -> None:
        """Let them go on, with the volumes and variables that they had; once."""
        async with self._lock:
            if self.over or self._worker.finished:
                return
            try:
                await self._worker.mount()
                await self._worker.containers.resume()
            except MountFailed as error:
                # The worker mounts them again after a while, and ends the sleep then.
                log.warning("volumes of %s/%s: %s", *self._worker.key, error)
                self._worker.wake()
                return
            except RuntimeCallError as error:
                log.warning("cannot go on: %s/%s: %s", *self._worker.key, error)
            self.over = True


def adopt(worker: PodWorker) -> bool:
    """Take a pod as it runs already; False where it has to be started."""
    pod, host = worker.pod, worker.host
    records = worker.containers.records
    if host.recovery is None or _needs_its_beginning(pod):
        return False
    status = pod.get("status") or {}
    sleep = Sleep(worker)
    try:
        known = list(_recalled(pod, status, records))
        ip = "" if pod["spec"].get("hostNetwork") else _said(status.get("podIP"))
        found = host.recovery.recover(KnownPod(sandbox_config(pod, 0), ip, known, sleep.end))
    except (_Unclear, BadEnvironment, ValueError):
        found = None
    if found is None:
        worker.containers.forget()
        return False
    for record in records:
        record.image = found.images.get(record.id)
    worker.adopted(found.sandbox_id, tuple(each["ip"] for each in status["podIPs"]), sleep)
    worker.containers.resume_probes()
    if not _settled(pod, status, records):
        worker.wake()
    elif not found.sleeps:
        host.tasks.spawn("resume pod", sleep.end())
    return True


def _needs_its_beginning(pod: Obj) -> bool:
    """Tell whether init containers have left something on the disk, which is lost."""
    spec = pod["spec"]
    init = spec.get("initContainers")
    if not init:
        return False
    kept = {
        volume["name"]
        for volume in spec.get("volumes") or ()
        if not any(source in volume for source in _FILLED)
    }
    return any(
        mount["name"] in kept
        for container in init
        if container.get("restartPolicy") != "Always"
        for mount in container.get("volumeMounts") or ()
    )


def _settled(pod: Obj, status: Obj, records: list[ContainerRecord]) -> bool:
    """Tell whether nothing is to be done for the pod, and nothing to be said."""
    if is_deleting(pod) or status["phase"] != "Running":
        return False
    if "activeDeadlineSeconds" in pod["spec"] or pod["spec"].get("readinessGates"):
        return False
    stay = [r for r in records if r.kind == "main" or r.sidecar]
    if not all(r.running and r.started for r in stay):
        return False
    ready = all(r.ready for r in stay)
    said = any(c["type"] == "Ready" and c["status"] == "True" for c in status["conditions"])
    return ready == said and not any(r.status is None for r in records)


# -- what the status says ------------------------------------------------------------------------


def _recalled(pod: Obj, status: Obj, records: list[ContainerRecord]) -> Iterator[KnownContainer]:
    """Give the records what the status says; yield the containers that there were. _Unclear."""
    if status.get("phase") not in ("Running", "Pending") or not status.get("podIPs"):
        raise _Unclear
    said = {
        (kind, entry["name"]): entry
        for kind, part in _STATUSES.items()
        for entry in status.get(part) or ()
    }
    for record in records:
        entry = said.get((record.kind, record.name))
        if entry is None:
            raise _Unclear
        for was in _runs(record, entry):
            attempt = was.metadata.attempt
            config = container_config(pod, record.spec, attempt, was.image.image, {}, _nowhere)
            yield KnownContainer(config, was)


def _runs(record: ContainerRecord, entry: Obj) -> Iterator[ContainerStatus]:
    """Read one container: yield its last run, and the one before where that is known."""
    state = entry.get("state") or {}
    record.restarts = entry.get("restartCount") or 0
    last = record.last = (entry.get("lastState") or {}).get("terminated")
    record.backoff = _next_backoff(record.restarts)
    if running := state.get("running"):
        record.status = _running(entry, record, running)
        record.started, record.ready = bool(entry.get("started")), bool(entry.get("ready"))
        record.waiting = ("", "")
    elif ended := state.get("terminated"):
        record.status = _ended(entry, record, ended, record.restarts)
        record.waiting = ("", "")
    elif last and (state.get("waiting") or {}).get("reason") in _TURNS:
        # All containers of the pod start over: it waits for its turn, as before its first run.
        record.anew = True
        return
    elif last:
        record.status = _ended(entry, record, last, record.restarts)
        _wait(record, state.get("waiting") or {})
    else:
        return
    record.id = record.status.id
    yield record.status
    if last and last.get("containerID") and _id(last["containerID"]) != record.id:
        before = _ended(entry, record, last, max(record.restarts - 1, 0))
        record.previous_id = before.id
        yield before


def _wait(record: ContainerRecord, waiting: Obj) -> None:
    """Go on with the wait for the next run, from the end of the last."""
    record.waiting = (waiting.get("reason") or "", waiting.get("message") or "")
    backoff = _BACKOFF.match(record.waiting[1])
    if backoff and record.status is not None:
        wait = min(max(parse_duration(backoff[1]), 0.0), LONGEST_BACKOFF)
        record.retry_at = record.status.finished_at / _NANO + wait
        record.backoff = min(max(wait, FIRST_BACKOFF / 2) * 2, LONGEST_BACKOFF)


def _next_backoff(restarts: int) -> float:
    """Return what the next crash will wait, after so many."""
    return min(FIRST_BACKOFF * 2.0 ** min(restarts - 1, 8), LONGEST_BACKOFF) if restarts else 0.0


def _running(entry: Obj, record: ContainerRecord, state: Obj) -> ContainerStatus:
    began = _moment(state.get("startedAt"))
    found = _container(entry, record, _said(entry.get("containerID")), record.restarts)
    found.state, found.created_at, found.started_at = ContainerState.RUNNING, began, began
    return found


def _ended(entry: Obj, record: ContainerRecord, state: Obj, attempt: int) -> ContainerStatus:
    found = _container(entry, record, _said(state.get("containerID")), attempt)
    found.finished_at = _moment(state.get("finishedAt"))
    found.created_at = found.started_at = (
        _moment(state["startedAt"]) if state.get("startedAt") else found.finished_at
    )
    found.exit_code = state.get("exitCode") or 0
    found.reason, found.message = state.get("reason") or "", state.get("message") or ""
    return found


def _container(entry: Obj, record: ContainerRecord, said: str, attempt: int) -> ContainerStatus:
    user = (entry.get("user") or {}).get("linux") or {}
    return ended_status(
        _id(said),
        ContainerMetadata(record.name, attempt),
        _said(entry.get("image")),
        (user.get("uid") or 0, user.get("gid") or 0),
    )


def _said(text: str | None) -> str:
    if not text:
        raise _Unclear
    return text


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise _Unclear
    return text.removeprefix("containerd://")


def _moment(text: str | None) -> int:
    return int(parse_time(_said(text)).timestamp()) * _NANO


def _nowhere(pod: Obj, volume: str, sub_path: str) -> str:
    """Return no path: what is mounted is asked for when the program goes on."""
    del pod, volume, sub_path
    return ""
