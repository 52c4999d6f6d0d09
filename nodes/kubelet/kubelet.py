"""The kubelet of one node: registers it, takes the pods that are bound to it, lets them go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from apimachinery.clock import Clock
from apimachinery.errors import AlreadyExists, ApiError, BadRequest, NotFound
from apimachinery.gvk import GroupResource
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of, uid_of
from nodes.client import leases, resources
from nodes.client.events import NORMAL, WARNING, Recorder
from nodes.client.flag import Flag
from nodes.client.informer import Informers
from nodes.client.rest import STRATEGIC_PATCH, Client
from nodes.client.supervise import TaskSet
from nodes.kubelet import csinode
from nodes.kubelet.admitting import Admissions, NodeLister
from nodes.kubelet.adoption import adopt
from nodes.kubelet.attachments import Attachments
from nodes.kubelet.claims import PersistentVolumes
from nodes.kubelet.eviction import Evictions
from nodes.kubelet.hardware import Hardware
from nodes.kubelet.host import Host, ServiceLister
from nodes.kubelet.images import ImageManager
from nodes.kubelet.node import Machine, node_object, node_status
from nodes.kubelet.pod_worker import PodWorker
from nodes.kubelet.probes import ProbeNetwork
from nodes.kubelet.records import ContainerRecord, lost_status
from nodes.kubelet.sources import Sources
from nodes.kubelet.static_pods import StaticPods
from nodes.kubelet.steps import Steps
from nodes.kubelet.volumes import Volumes
from nodes.runtime.cri import (
    ContainerEventResponse,
    HostFiles,
    ImageService,
    LogOptions,
    LogService,
    RuntimeService,
)
from nodes.runtime.recovery import RecoveryService

log = logging.getLogger(__name__)

# Seconds between two tries to register, as kubelet_node_status.go has them.
_FIRST_RETRY, _LAST_RETRY = 0.1, 7.0


def _nothing() -> None:
    """Leave it at that."""


def _no_node(name: str) -> Obj | None:
    """Know a node as it registers."""
    del name
    return None


@dataclass(frozen=True, slots=True)
class Shared:
    """What all kubelets of a cluster know by the same watches."""

    services: ServiceLister
    nodes: NodeLister = _no_node


@dataclass(frozen=True, slots=True)
class Runtime:
    """The container runtime of a node, in its four parts, and the machine under it."""

    runtime: RuntimeService
    images: ImageService
    logs: LogService
    files: HostFiles
    hardware: Hardware = field(default_factory=Hardware)
    recovery: RecoveryService | None = None


class Kubelet:
    """One node's kubelet, acting as system:node:NAME."""

    def __init__(
        self,
        machine: Machine,
        *,
        client: Client,
        informers: Informers,
        shared: Shared,
        runtime: Runtime,
        network: ProbeNetwork,
        recorder: Recorder,
        clock: Clock,
        tasks: TaskSet,
        steps: Steps | None = None,
    ) -> None:
        self.machine = machine
        self.images = runtime.images
        self._off_since = runtime.hardware.off_since
        self.started = False
        # Whether the node's object named volumes in use when it registered.
        self._said_in_use = False
        # Set once the pods that were bound to the node before it started are known.
        self._pods_known = Flag()
        self._client, self._informers = client, informers
        self._clock, self._tasks, self._recorder = clock, tasks, recorder
        self._runtime = runtime
        self.pods: dict[str, PodWorker] = {}
        sources = Sources(informers, self._source_changed)
        self._attachments = Attachments(machine.name, client, informers, self._source_changed)
        self.host = Host(
            machine.name,
            machine.address,
            client,
            runtime.runtime,
            runtime.files,
            ImageManager(runtime.images, clock),
            sources,
            Volumes(
                runtime.files,
                sources,
                PersistentVolumes(client, clock, self._attachments),
                self._token,
                clock,
                machine.address,
            ),
            shared.services,
            network,
            recorder,
            clock,
            tasks,
            runtime.recovery,
            steps=steps or Steps(),
        )
        manifests = runtime.hardware.manifests
        self._static = StaticPods(machine.name, manifests, client, clock, tasks)
        self.evictions = Evictions(self, runtime.hardware)
        self._admissions = Admissions(self, shared.nodes)
        self._events = runtime.runtime.get_container_events(self._on_container)

    @property
    def name(self) -> str:
        return self.machine.name

    # -- the node --------------------------------------------------------------------------------

    async def start(self, others: asyncio.Event | None = None) -> None:
        """Register the node and its lease, then take its pods, once `others` have registered too.

        Hundreds of nodes with thousands of pods would wait for each other's pods otherwise.
        """
        self.started = True
        await self.register(lambda: self._begin(others))

    def _begin(self, others: asyncio.Event | None) -> None:
        self.tell(NORMAL, "Starting", "Starting kubelet.")
        if self._off_since:
            boot = self.machine.identity("boot")
            self.tell(WARNING, "Rebooted", f"Node {self.name} has been rebooted, boot id: {boot}")
        self.evictions.start()
        bound = self._informers.get(resources.PODS, field_selector=f"spec.nodeName={self.name}")
        self._pods_known = bound.synced
        bound.on_change(self._on_pod)
        if self._said_in_use:
            self._tasks.spawn("review volumes", self._review_volumes())
        if self._static:
            self._tasks.spawn("static pods", self._mirror_later())
        if others is None or others.is_set():
            self._informers.start()
        else:
            self._tasks.spawn("take pods", self._take_pods(others))

    async def _review_volumes(self) -> None:
        """Let go of what a kubelet before this one used for pods that are gone."""
        await self._pods_known.wait()
        while True:
            try:
                await self._attachments.review()
            except ApiError as error:
                log.warning("cannot say what node %s uses: %s", self.name, error.message)
                await self._clock.sleep(_FIRST_RETRY)
            else:
                return

    async def _take_pods(self, others: asyncio.Event) -> None:
        await others.wait()
        self._informers.start()

    def tell(self, kind: str, reason: str, message: str) -> None:
        """Write an event about the node."""
        about = {"kind": "Node", "name": self.name, "uid": self.name, "apiVersion": ""}
        self._recorder.event(about, kind, reason, message)

    async def register(self, then: Callable[[], None] = _nothing) -> None:
        """Tell the API that the node is there and well; a task goes on if it does not listen."""
        try:
            await self._register()
        except ApiError as error:
            log.warning("cannot register node %s: %s", self.name, error.message)
            self._tasks.spawn("register node", self._register_later(then))
        else:
            then()

    async def _register_later(self, then: Callable[[], None]) -> None:
        wait = _FIRST_RETRY
        while True:
            await self._clock.sleep(wait)
            wait = min(wait * 2, _LAST_RETRY)
            with suppress(ApiError):
                await self._register()
                then()
                return

    async def _register(self) -> None:
        now = self._clock.timestamp()
        try:
            node = await self._client.create(node_object(self.machine, now), resources.NODES)
        except AlreadyExists:
            status = node_status(self.machine, now)
            if self._off_since:
                status["volumesInUse"] = None  # whatever it used, it has let go of
            node = await self._client.patch(
                resources.NODES,
                "",
                self.name,
                {"status": status},
                STRATEGIC_PATCH,
                "status",
            )
        self._said_in_use = bool((node.get("status") or {}).get("volumesInUse"))
        lease = leases.node_lease(node, self._clock, simulated=True)
        try:
            await self._client.create(lease, resources.LEASES)
        except AlreadyExists:
            await self._client.patch(
                resources.LEASES,
                leases.NAMESPACE,
                self.name,
                {
                    "metadata": {"annotations": lease["metadata"].get("annotations")},
                    "spec": lease["spec"],
                },
            )
        await csinode.register(self._client, node)
        if self._pods_known.is_set():
            self._mirror()

    async def _mirror_later(self) -> None:
        await self._pods_known.wait()
        self._mirror()

    def _mirror(self) -> None:
        self._static.start(worker.pod for worker in self.pods.values())

    async def stop(self) -> None:
        """Stop working: the pods stay as they are in the API."""
        self._events.cancel()
        self.evictions.stop()
        self._informers.stop()
        for worker in self.pods.values():
            worker.finished = True
            worker.cancel_timers()
            worker.containers.close()

    # -- its pods --------------------------------------------------------------------------------

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            if old is not None and self._static.mirrored_by(old):
                self._static.lost(old, self.pods.pop(uid_of(old), None))
            elif old is not None:
                self._forget(uid_of(old))
            return
        if is_deleting(new) and self._static.mirrored_by(new):
            self._static.renew(new)
            return
        worker = self.pods.get(uid_of(new))
        if worker is not None and not worker.finished:
            worker.update(new)
            return
        if worker is None:
            if old is not None and uid_of(old) != uid_of(new):
                self._on_pod(old, None)
            self._take(new)

    def _take(self, pod: Obj) -> None:
        if (left := self._static.worker_of(pod)) is not None:
            self.pods[uid_of(pod)] = left
            left.mirrored_by(pod)
            return
        ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if ended or (is_deleting(pod) and not pod["metadata"].get("deletionGracePeriodSeconds")):
            if is_deleting(pod):
                self._tasks.spawn("forget pod", self.host.forget_in_api(pod))
            return
        worker = PodWorker(pod, self.host)
        if not self._off_since and not self._pods_known.is_set() and adopt(worker):
            self.pods[worker.uid] = worker
            return
        restore(worker.containers.records, pod)
        self.pods[worker.uid] = worker
        if self._off_since and lose_power(worker.containers.records, pod, self._off_since):
            message = "Pod sandbox changed, it will be killed and re-created."
            worker.report("Normal", "SandboxChanged", message)
        self._admissions.take(worker)

    def _forget(self, uid: str) -> None:
        """The object is gone: whatever still runs has no business to."""
        worker = self.pods.pop(uid, None)
        if worker is not None and not worker.finished:
            worker.finished = True
            self._tasks.spawn("clean up pod", worker.clean_up())

    def _source_changed(self, uid: str) -> None:
        if worker := self.pods.get(uid):
            worker.source_changed()

    def _on_container(self, event: ContainerEventResponse) -> None:
        worker = self.host.sandboxes.get(event.pod_sandbox_id)
        if isinstance(worker, PodWorker):
            worker.container_event(event.container_id, event.container_event_type)

    async def _token(self, pod: Obj, audience: str, seconds: int) -> str:
        """Ask for a token of the pod's service account that ends with the pod."""
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {"namespace": namespace_of(pod)},
            "spec": {
                "audiences": [audience] if audience else [],
                "expirationSeconds": seconds,
                "boundObjectRef": {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": name_of(pod),
                    "uid": uid_of(pod),
                },
            },
        }
        account = pod["spec"].get("serviceAccountName") or "default"
        answer = await self._client.create(
            request, resources.SERVICEACCOUNTS, subresource="token", name=account
        )
        return str(answer["status"]["token"])

    # -- what the API asks of it ------------------------------------------------------------------

    def find(self, namespace: str, name: str) -> PodWorker:
        """Return the worker of a pod. Raises NotFound."""
        for worker in self.pods.values():
            if worker.key == (namespace, name):
                return worker
        raise NotFound(GroupResource("", "pods"), name)

    def container(self, namespace: str, pod: str, name: str) -> ContainerRecord:
        """Return a container of a pod. Raises as the kubelet refuses."""
        record = self.find(namespace, pod).containers.named(name)
        if record is None:
            raise BadRequest(f"container {name} is not valid for pod {pod}")
        return record

    def logs(
        self, namespace: str, pod: str, name: str, options: LogOptions, *, previous: bool
    ) -> AsyncIterator[bytes]:
        """Return a container's log. Raises BadRequest where it has none yet."""
        record = self.container(namespace, pod, name)
        chosen = record.previous_id if previous else record.id
        if previous and not chosen and record.exited and record.waiting[0]:
            chosen = record.id
        if not chosen:
            if previous:
                raise BadRequest(f'previous terminated container "{name}" in pod "{pod}" not found')
            raise BadRequest(
                f'container "{name}" in pod "{pod}" is waiting to start: {_waits_for(record)}'
            )
        return self._runtime.logs.read_log(chosen, "", options)


def _waits_for(record: ContainerRecord) -> str:
    reason, _ = record.waiting
    if reason in ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"):
        return "trying and failing to pull image"
    return reason


def restore(records: list[ContainerRecord], pod: Obj) -> None:
    """Give records what the API remembers of earlier runs, when a kubelet starts again."""
    status = pod.get("status") or {}
    known = {
        entry["name"]: entry
        for part in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
        for entry in status.get(part) or ()
    }
    for record in records:
        if entry := known.get(record.name):
            record.restarts = entry.get("restartCount") or 0
            record.last = (entry.get("lastState") or {}).get("terminated")


def lose_power(records: list[ContainerRecord], pod: Obj, since: float) -> bool:
    """Have what ran when the machine lost power count as ended then; False if nothing ran."""
    status, lost = pod.get("status") or {}, False
    ran = {
        entry["name"]: entry
        for part in ("initContainerStatuses", "containerStatuses")
        for entry in status.get(part) or ()
        if "running" in (entry.get("state") or {})
    }
    for record in records:
        if entry := ran.get(record.name):
            lost = True
            record.id = (entry.get("containerID") or "").rpartition("//")[2]
            started = (entry["state"]["running"] or {}).get("startedAt")
            record.status = lost_status(record.id, record.name, started, since)
            record.waiting = ("", "")
    return lost
