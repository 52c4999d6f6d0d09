"""What the pods of one node share: the runtime, the disk, the API, the clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from apimachinery.clock import Clock
from apimachinery.errors import ApiError, Conflict, NotFound
from apimachinery.meta import Obj, name_of, namespace_of, revision_of, uid_of
from nodes.client import resources
from nodes.client.events import Recorder
from nodes.client.rest import STRATEGIC_PATCH, Client, may_pass
from nodes.client.supervise import TaskSet
from nodes.kubelet.images import ImageManager
from nodes.kubelet.probes import ProbeNetwork
from nodes.kubelet.sources import Sources
from nodes.kubelet.steps import Steps
from nodes.kubelet.volumes import Volumes
from nodes.runtime.cri import HostFiles, RuntimeService
from nodes.runtime.recovery import RecoveryService

log = logging.getLogger(__name__)

# How long to wait before something that failed is tried again.
RETRY = 2.0
# Statuses that one node writes at a time, where a real kubelet's status manager writes one: each
# waits for a commit. What changes while one waits for its turn goes along.
STATUSES_TOGETHER = 4


def _status_turns() -> asyncio.Semaphore:
    return asyncio.Semaphore(STATUSES_TOGETHER)


class ServiceLister(Protocol):
    def list(self) -> Iterable[Obj]: ...


@dataclass(slots=True)
class Host:
    """One node, as its pods see it."""

    node_name: str
    node_ip: str
    client: Client
    runtime: RuntimeService
    files: HostFiles
    images: ImageManager
    sources: Sources
    volumes: Volumes
    services: ServiceLister
    network: ProbeNetwork
    recorder: Recorder
    clock: Clock
    tasks: TaskSet
    # None where the runtime finds its containers by itself.
    recovery: RecoveryService | None = None
    sandboxes: dict[str, Any] = field(default_factory=dict)
    steps: Steps = field(default_factory=Steps)
    status_turns: asyncio.Semaphore = field(default_factory=_status_turns)

    async def write_status(self, pod: Obj, before: Obj | None, status: Obj) -> int:
        """Write a pod's status and return the revision; 0 if the pod is gone, or may not have it.

        Raises ApiError where the API cannot answer now: the status has to be written later.
        """
        body: Obj = {"metadata": {"uid": uid_of(pod)}, "status": dict(status)}
        old = before if before is not None else pod.get("status") or {}
        for key in ("reason", "message", "podIP"):
            if key in old and key not in status:
                body["status"][key] = None
        body["status"]["conditions"] = _replacing(
            status.get("conditions") or [], old.get("conditions") or []
        )
        ips = status.get("podIPs")
        if ips and (pod.get("status") or {}).get("podIPs") not in (None, ips):
            # The list is merged by address: an earlier sandbox's would stay beside the new one.
            body["status"]["podIPs"] = [*ips, {"$patch": "replace"}]
        try:
            written = await self.client.patch(
                resources.PODS, namespace_of(pod), name_of(pod), body, STRATEGIC_PATCH, "status"
            )
        except (NotFound, Conflict):
            return 0
        except ApiError as error:
            if may_pass(error):
                raise
            log.warning("status refused: %s/%s: %s", namespace_of(pod), name_of(pod), error.message)
            return 0
        return revision_of(written)

    async def forget_in_api(self, pod: Obj) -> None:
        """Delete the object of a pod whose containers are gone, however long that takes."""
        key = namespace_of(pod), name_of(pod)

        async def delete() -> None:
            with suppress(NotFound, Conflict):
                await self.client.delete(resources.PODS, *key, uid=uid_of(pod), grace=0)

        await self.until_heard("delete", pod, delete)

    async def until_heard(self, what: str, pod: Obj, ask: Callable[[], Awaitable[None]]) -> None:
        """Ask something of the API for a pod until it has answered, if only with a refusal."""
        while True:
            try:
                await ask()
            except ApiError as error:
                where = namespace_of(pod), name_of(pod)
                log.warning("%s refused: %s/%s: %s", what, *where, error.message)
                if not may_pass(error):
                    return
            else:
                return
            await self.clock.sleep(RETRY)


def _replacing(new: list[Obj], old: list[Obj]) -> list[Obj]:
    """Return conditions that, merged by type, leave nothing of the old ones behind."""
    before = {condition["type"]: condition for condition in old}
    return [
        {key: None for key in before.get(condition["type"], {}) if key not in condition} | condition
        for condition in new
    ]
