"""What a kubelet knows of a container: this run, the one before, and how often it has run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from apimachinery.clock import format_seconds, parse_time
from apimachinery.meta import Obj
from apimachinery.restarts import RESTART_ALL, action, restarts
from nodes.runtime.cri import (
    ContainerMetadata,
    ContainerState,
    ContainerStatus,
    Image,
    ImageSpec,
    LinuxContainerResources,
)

FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 300.0
# A container that ran this long has recovered: its next crash waits the first backoff again.
RECOVERED_AFTER = 600.0


@dataclass(slots=True)
class ContainerRecord:
    """One container of a pod over its runs. `spec` is the pod's own text for it."""

    spec: Obj
    kind: str  # "init", "main" or "ephemeral"
    id: str = ""
    # The run before this one, kept for its logs.
    previous_id: str = ""
    restarts: int = 0
    status: ContainerStatus | None = None
    last: Obj | None = None
    image: Image | None = None
    # Why it is not running, before its first run or between two: (reason, message).
    waiting: tuple[str, str] = ("ContainerCreating", "")
    backoff: float = 0.0
    retry_at: float = 0.0
    # What the probes say. `started` is None until it is known.
    started: bool = False
    ready: bool = False
    # Since when it is asked, in cluster seconds.
    probed_since: float = 0.0
    # It has not run since all containers of its pod started over.
    anew: bool = False
    # Why the kubelet stopped it ("liveness"), so that its restart is told of once.
    stopping: bool = False
    probes: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def running(self) -> bool:
        return self.status is not None and self.status.state is ContainerState.RUNNING

    @property
    def exited(self) -> bool:
        return self.status is not None and self.status.state is ContainerState.EXITED

    @property
    def succeeded(self) -> bool:
        return self.exited and self.status is not None and self.status.exit_code == 0

    @property
    def has_run(self) -> bool:
        """Tell whether it has run since its pod began, or began anew."""
        return self.status is not None or (self.last is not None and not self.anew)

    def comes_back(self, policy: str) -> bool:
        """Tell whether it has ended and will run again, by itself or with all others."""
        if self.anew and self.status is None:
            return True
        if not self.exited or self.status is None:
            return False
        return self.restarts_all or restarts(self.spec, policy, self.status.exit_code)

    @property
    def restarts_all(self) -> bool:
        """Tell whether its end has all containers of the pod start over."""
        if not self.exited or self.status is None or self.kind == "ephemeral":
            return False
        return action(self.spec, self.status.exit_code) == RESTART_ALL

    def begin_anew(self) -> None:
        """Have it as before its first run, but that it is counted and that its last is known."""
        if self.status is not None:
            self.last, self.restarts = self.terminated(), self.restarts + 1
        self.status, self.anew = None, True
        self.retry_at = self.backoff = 0.0
        self.started = self.ready = False

    @property
    def sidecar(self) -> bool:
        """An init container that stays: the next one starts once it has started."""
        return self.kind == "init" and self.spec.get("restartPolicy") == "Always"

    @property
    def field_path(self) -> str:
        part = {"init": "initContainers", "main": "containers", "ephemeral": "ephemeralContainers"}
        return f"spec.{part[self.kind]}{{{self.name}}}"

    def next_backoff(self, now: float) -> float:
        """Return the wait before the next run, and lengthen the one after."""
        ran = 0.0
        if self.status is not None and self.status.started_at:
            ran = (self.status.finished_at - self.status.started_at) / 1e9
        if ran >= RECOVERED_AFTER:
            self.backoff = 0.0
        wait = self.backoff
        self.backoff = min(wait * 2, LONGEST_BACKOFF) if wait else FIRST_BACKOFF
        # The wait counts from the end of the run, not from when it was seen.
        ended = self.status.finished_at / 1e9 if self.status is not None else now
        return max(ended + wait - now, 0.0)

    def state(self) -> Obj:
        """Return the ContainerState as status shows it."""
        status = self.status
        if status is not None and status.state is ContainerState.RUNNING:
            return {"running": {"startedAt": stamp(status.started_at)}}
        if status is not None and status.state is ContainerState.EXITED and not self.waiting[0]:
            return {"terminated": self.terminated()}
        reason, message = self.waiting
        return {"waiting": {"reason": reason} | ({"message": message} if message else {})}

    def terminated(self) -> Obj:
        """Return the ContainerStateTerminated of the run that has ended."""
        status = self.status
        if status is None:
            return {}
        found: Obj = {"exitCode": status.exit_code}
        if status.reason:
            found["reason"] = status.reason
        if status.message:
            found["message"] = status.message
        found["startedAt"] = stamp(status.started_at) if status.started_at else None
        found["finishedAt"] = stamp(status.finished_at) if status.finished_at else None
        found["containerID"] = container_id(self.id)
        return found


def container_id(runtime_id: str) -> str:
    return f"containerd://{runtime_id}" if runtime_id else ""


def stamp(nanoseconds: int) -> str:
    """Print a runtime's nanoseconds as metav1.Time."""
    return format_seconds(nanoseconds / 1e9)


def ended_status(
    runtime_id: str, metadata: ContainerMetadata, image: str = "", user: tuple[int, int] = (0, 0)
) -> ContainerStatus:
    """Return the status of a container of which no more is known yet than that it was."""
    return ContainerStatus(
        id=runtime_id,
        pod_sandbox_id="",
        metadata=metadata,
        state=ContainerState.EXITED,
        created_at=0,
        started_at=0,
        finished_at=0,
        exit_code=0,
        image=ImageSpec(image),
        image_ref="",
        reason="",
        message="",
        labels={},
        annotations={},
        mounts=(),
        log_path="",
        resources=LinuxContainerResources(),
        user=user,
    )


def lost_status(runtime_id: str, name: str, started: str | None, ended: float) -> ContainerStatus:
    """Return what containerd says of a container that it finds ended after the machine was off."""
    began = parse_time(started).timestamp() if started else ended
    status = ended_status(runtime_id, ContainerMetadata(name))
    status.created_at = status.started_at = int(began * 1e9)
    status.finished_at = int(ended * 1e9)
    status.exit_code, status.reason = 255, "Unknown"
    return status
