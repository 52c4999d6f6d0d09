"""The simulated runtime of one node: keeps cri.RuntimeService and cri.LogService.

Calls answer at once; only what takes time on a real node (a grace period, a program's own waiting)
takes time here, by the Clock. Events are pushed from the loop as things happen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from hashlib import sha256

from apimachinery.clock import Clock
from nodes.network.fabric import Network
from nodes.network.stream import ByteStream, Stream, stream_pair
from nodes.runtime.cri import (
    AttachRequest,
    Code,
    Container,
    ContainerConfig,
    ContainerEventResponse,
    ContainerEventType,
    ContainerFilter,
    ContainerState,
    ContainerStats,
    ContainerStatus,
    ExecRequest,
    ExecSyncResponse,
    LinuxContainerResources,
    LogOptions,
    PodSandbox,
    PodSandboxConfig,
    PodSandboxFilter,
    PodSandboxState,
    PodSandboxStatus,
    RuntimeCallError,
    RuntimeCondition,
    RuntimeStatus,
    Session,
    Subscription,
    VersionResponse,
)
from nodes.runtime.recovery import KnownPod, Recovered
from nodes.runtime.simulated.catalogue import lower_files
from nodes.runtime.simulated.container import SimContainer
from nodes.runtime.simulated.filesystem import Filesystem
from nodes.runtime.simulated.hostfiles import MemoryHostFiles, SharedVolumes
from nodes.runtime.simulated.image import ImageFamily, PulledImage
from nodes.runtime.simulated.imageservice import SimulatedImages, missing
from nodes.runtime.simulated.pipes import Collector, OutputQueue
from nodes.runtime.simulated.recovering import images_of, may_sleep
from nodes.runtime.simulated.registry import Registries
from nodes.runtime.simulated.sandbox import SimSandbox, owner_of
from nodes.runtime.simulated.sessions import SimulatedSession
from nodes.runtime.simulated.shell.helpers import Interpreters
from nodes.runtime.simulated.status import container_stats, container_status, listed

VERSION = VersionResponse("0.1.0", "containerd", "2.1.0", "v1")
NANO = 1_000_000_000
Listener = Callable[[ContainerEventResponse], None]


class _Subscription:
    def __init__(self, listeners: list[Listener], callback: Listener) -> None:
        self._listeners = listeners
        self._callback = callback
        listeners.append(callback)

    def cancel(self) -> None:
        if self._callback in self._listeners:
            self._listeners.remove(self._callback)


class SimulatedRuntime:
    """The runtime of one node. `images` and `files` are its ImageService and its HostFiles."""

    def __init__(
        self,
        node: str,
        clock: Clock,
        network: Network,
        seed: int = 0,
        shared: SharedVolumes | None = None,
        interpreters: Interpreters | None = None,
        registries: Registries | None = None,
        own_images: Sequence[ImageFamily] = (),
    ) -> None:
        """The node has to be in the network already (`Network.add_node`).

        shared: the persistent volumes, interpreters: those of shells, registries: where images
        come from; each of the whole cluster. own_images: what is known on this machine alone.
        """
        self.node = node
        self.files = MemoryHostFiles(shared)
        self.images = SimulatedImages(clock, f"{seed}/{node}", registries, own_images)
        self._clock = clock
        self._owns_interpreters = interpreters is None
        self._interpreters = interpreters if interpreters is not None else Interpreters()
        self._network = network
        # An id that was given out before the worker was restarted is not given out again.
        self._seed = f"{seed}/{node}/{clock.seconds()}"
        self._ids = 0
        self._sandboxes: dict[str, SimSandbox] = {}
        self._containers: dict[str, SimContainer] = {}
        self._listeners: list[Listener] = []
        # Who is attached, by container.
        self._sessions: dict[str, list[SimulatedSession]] = {}

    # -- runtime ---------------------------------------------------------------------------------

    async def version(self) -> VersionResponse:
        return VERSION

    async def status(self) -> RuntimeStatus:
        return RuntimeStatus(
            (RuntimeCondition("RuntimeReady", True), RuntimeCondition("NetworkReady", True))
        )

    def get_container_events(self, callback: Listener) -> Subscription:
        return _Subscription(self._listeners, callback)

    # -- sandboxes -------------------------------------------------------------------------------

    async def run_pod_sandbox(self, config: PodSandboxConfig, runtime_handler: str = "") -> str:
        sandbox = SimSandbox(
            self._new_id(), config, runtime_handler, self._network, self.node, self._clock
        )
        self._sandboxes[sandbox.id] = sandbox
        return sandbox.id

    async def stop_pod_sandbox(self, pod_sandbox_id: str) -> None:
        sandbox = self._sandboxes.get(pod_sandbox_id)
        if sandbox is None:
            return
        for container in self._in_sandbox(sandbox.id):
            container.kill()
        sandbox.stop(self.node)

    async def remove_pod_sandbox(self, pod_sandbox_id: str) -> None:
        await self.stop_pod_sandbox(pod_sandbox_id)
        for container in self._in_sandbox(pod_sandbox_id):
            await self.remove_container(container.id)
        self._sandboxes.pop(pod_sandbox_id, None)

    async def pod_sandbox_status(self, pod_sandbox_id: str) -> PodSandboxStatus:
        return self._sandbox(pod_sandbox_id).status()

    async def list_pod_sandbox(
        self,
        filter: PodSandboxFilter | None = None,  # noqa: A002
    ) -> list[PodSandbox]:
        wanted = filter or PodSandboxFilter()
        return [
            sandbox.listed()
            for sandbox in self._sandboxes.values()
            if wanted.id in ("", sandbox.id)
            and wanted.state in (None, sandbox.state)
            and _has_labels(sandbox.config.labels, wanted.label_selector)
        ]

    # -- containers ------------------------------------------------------------------------------

    async def create_container(
        self, pod_sandbox_id: str, config: ContainerConfig, sandbox_config: PodSandboxConfig
    ) -> str:
        sandbox = self._sandbox(pod_sandbox_id)
        if sandbox.state is not PodSandboxState.READY:
            raise RuntimeCallError(
                Code.UNKNOWN, f"failed to get sandbox container task: {pod_sandbox_id} not running"
            )
        image = self.images.find(config.image.image)
        if image is None:
            raise missing(config.image.image)
        fs = self._filesystem(sandbox, config, image)
        container = self._add(self._new_id(), sandbox, config, image, fs)
        self._tell(container, ContainerEventType.CREATED)
        return container.id

    async def start_container(self, container_id: str) -> None:
        container = self._container(container_id)
        if container.state is not ContainerState.CREATED:
            raise RuntimeCallError(
                Code.UNKNOWN,
                f'failed to set starting state for container "{container_id}": '
                f"container is in {container.state} state",
            )
        container.start()
        self._tell(container, ContainerEventType.STARTED)
        container.begin()

    async def stop_container(self, container_id: str, timeout: float) -> None:
        container = self._containers.get(container_id)
        if container is not None:
            await self._awake(container)
            container.stop(timeout)
            await container.stopped()

    async def remove_container(self, container_id: str) -> None:
        container = self._containers.get(container_id)
        if container is not None:
            container.kill()
            del self._containers[container_id]
            self._tell(container, ContainerEventType.DELETED)

    async def container_status(self, container_id: str) -> ContainerStatus:
        return container_status(self._container(container_id))

    async def list_containers(
        self,
        filter: ContainerFilter | None = None,  # noqa: A002
    ) -> list[Container]:
        return [listed(container) for container in self._filtered(filter)]

    async def update_container_resources(
        self, container_id: str, resources: LinuxContainerResources
    ) -> None:
        container = self._container(container_id)
        await self._awake(container)
        container.update_resources(resources)

    async def reopen_container_log(self, container_id: str) -> None:
        self._container(container_id).log.reopen()

    # -- exec, attach, port-forward --------------------------------------------------------------

    async def exec_sync(
        self,
        container_id: str,
        cmd: tuple[str, ...],
        timeout: float = 0,
    ) -> ExecSyncResponse:
        container = self._container(container_id)
        await self._awake(container)
        collector = Collector()
        session = SimulatedSession(OutputQueue(), None, lambda: None)
        process = container.exec(cmd, out=collector, on_exit=session.finish)
        late: list[bool] = []

        def give_up() -> None:
            late.append(True)
            process.signal(9)

        timer = self._clock.call_later(timeout, give_up) if timeout > 0 else None
        try:
            code = await session.wait()
        finally:
            process.exit(137)
            if timer is not None:
                timer.cancel()
        if late:
            raise RuntimeCallError(
                Code.DEADLINE_EXCEEDED,
                f"failed to exec in container: timeout {_duration(timeout)} exceeded: "
                "context deadline exceeded",
            )
        return ExecSyncResponse(b"".join(collector.parts[1]), b"".join(collector.parts[2]), code)

    async def exec(self, request: ExecRequest) -> Session:
        container = self._container(request.container_id)
        await self._awake(container)
        output = OutputQueue()
        client: Stream | None = None
        server: Stream | None = None
        if request.stdin:
            client, server = stream_pair(("stdin", 0), ("stdin", 0))
        session = SimulatedSession(output, client, lambda: process.signal(9))
        process = container.exec(
            request.cmd, out=output, stdin=server, tty=request.tty, on_exit=session.finish
        )
        session.process = process
        return session

    async def attach(self, request: AttachRequest) -> Session:
        container = self._container(request.container_id)
        await self._awake(container)
        if container.state is not ContainerState.RUNNING:
            raise RuntimeCallError(
                Code.FAILED_PRECONDITION,
                f"failed to attach to container: container is in {container.state} state",
            )
        output = OutputQueue(drop=True)

        def detach() -> None:
            if container.attached and output in container.attached:
                container.attached.remove(output)
                self._sessions[container.id].remove(session)
            if container.config.stdin_once and request.stdin and container.stdin is not None:
                container.stdin.close_write()

        stdin = container.stdin if request.stdin else None
        session = SimulatedSession(output, stdin, detach, container.main)
        container.attached = [*(container.attached or ()), output]
        self._sessions.setdefault(container.id, []).append(session)
        return session

    async def port_forward(self, pod_sandbox_id: str, port: int) -> ByteStream:
        sandbox = self._sandbox(pod_sandbox_id)
        return await self._network.connect(sandbox.net.ip, "127.0.0.1", port)

    # -- stats and logs --------------------------------------------------------------------------

    async def container_stats(self, container_id: str) -> ContainerStats:
        return container_stats(self._container(container_id), self._clock.seconds())

    async def list_container_stats(
        self,
        filter: ContainerFilter | None = None,  # noqa: A002
    ) -> list[ContainerStats]:
        now = self._clock.seconds()
        return [container_stats(container, now) for container in self._filtered(filter)]

    def read_log(
        self, container_id: str, log_path: str, options: LogOptions
    ) -> AsyncIterator[bytes]:
        return self._read_log(self._container(container_id), options)

    async def _read_log(self, container: SimContainer, options: LogOptions) -> AsyncIterator[bytes]:
        await self._awake(container)
        async for line in container.log.read(options):
            yield line

    # -- after a restart -------------------------------------------------------------------------

    def recover(self, pod: KnownPod) -> Recovered | None:
        """Have a pod again as it was before the worker's memory was lost."""
        images = images_of(self.images, pod.containers)
        if images is None or any(each.status.id in self._containers for each in pod.containers):
            return None
        sandbox = self._recover_sandbox(pod)
        if sandbox is None:
            return None
        sleeps = sandbox.own_address
        for known, image in zip(pod.containers, images, strict=True):
            container = self._add(known.status.id, sandbox, known.config, image, None)
            container.recall(known.status)
            sleeps = sleeps and may_sleep(container)
        described = map(self.images.described, images)
        ids = (known.status.id for known in pod.containers)
        return Recovered(sandbox.id, dict(zip(ids, described, strict=True)), sleeps)

    def _recover_sandbox(self, pod: KnownPod) -> SimSandbox | None:
        config = pod.sandbox
        if pod.ip and not self._network.claim(self.node, pod.ip, owner_of(config), pod.rouse):
            return None
        sandbox = SimSandbox(
            self._new_id(), config, "", self._network, self.node, self._clock, pod.ip
        )
        sandbox.rouse = pod.rouse
        self._sandboxes[sandbox.id] = sandbox
        return sandbox

    async def resume(self, container_id: str, config: ContainerConfig) -> None:
        """Let the program of a recovered container go on."""
        container = self._container(container_id)
        if container.asleep:
            sandbox = self._sandbox(container.pod_sandbox_id)
            container.resume(config, self._filesystem(sandbox, config, container.image))

    async def _awake(self, container: SimContainer) -> None:
        """Have the programs of a recovered pod go on before somebody meets one of them."""
        sandbox = self._sandboxes.get(container.pod_sandbox_id)
        if container.asleep and sandbox is not None and sandbox.rouse is not None:
            await sandbox.rouse()

    # -- inside ----------------------------------------------------------------------------------

    def oom_kill(self, container_id: str) -> None:
        """Kill a container as the kernel does when it takes too much memory."""
        self._container(container_id).out_of_memory()

    def kill(self, container_id: str) -> None:
        """Kill the main process of a container, as `kill -9` on the node does."""
        self._container(container_id).kill()

    def power_off(self) -> None:
        """Everything that runs ends at once; the disk keeps what is on it."""
        for container in list(self._containers.values()):
            container.kill()
        for sandbox in self._sandboxes.values():
            sandbox.stop(self.node)
        self._sandboxes.clear()
        self._containers.clear()

    async def close(self) -> None:
        """End all containers, and wait until nothing of them runs any more."""
        for container in list(self._containers.values()):
            container.kill()
        if self._owns_interpreters:
            await self._interpreters.close()

    def _filesystem(
        self, sandbox: SimSandbox, config: ContainerConfig, image: PulledImage
    ) -> Filesystem:
        fs = Filesystem(
            lower_files(image.family),
            config.mounts,
            self.files,
            readonly=config.security_context.readonly_rootfs,
        )
        for path, data in sandbox.files().items():
            fs.root.write(path, data)
        return fs

    def _add(
        self,
        container_id: str,
        sandbox: SimSandbox,
        config: ContainerConfig,
        image: PulledImage,
        fs: Filesystem | None,
    ) -> SimContainer:
        container = self._containers[container_id] = SimContainer(
            container_id,
            sandbox.id,
            config,
            image,
            fs,
            sandbox.net,
            self._clock,
            self._exited,
            self._interpreters,
        )
        return container

    def _exited(self, container: SimContainer) -> None:
        for session in self._sessions.pop(container.id, ()):
            session.finish(container.exit_code)
        container.attached = None
        if container.id in self._containers:
            self._tell(container, ContainerEventType.STOPPED)

    def _tell(self, container: SimContainer, kind: ContainerEventType) -> None:
        if not self._listeners:
            return
        sandbox = self._sandboxes.get(container.pod_sandbox_id)
        if sandbox is None:
            return
        event = ContainerEventResponse(
            container_id=container.id,
            container_event_type=kind,
            created_at=int(self._clock.seconds() * NANO),
            pod_sandbox_id=sandbox.id,
            pod_sandbox_metadata=sandbox.config.metadata,
        )
        for listener in list(self._listeners):
            listener(event)

    def _sandbox(self, sandbox_id: str) -> SimSandbox:
        try:
            return self._sandboxes[sandbox_id]
        except KeyError:
            raise RuntimeCallError(
                Code.NOT_FOUND,
                f'an error occurred when try to find sandbox: sandbox "{sandbox_id}": not found',
            ) from None

    def _container(self, container_id: str) -> SimContainer:
        try:
            return self._containers[container_id]
        except KeyError:
            raise RuntimeCallError(
                Code.NOT_FOUND,
                f'an error occurred when try to find container "{container_id}": not found',
            ) from None

    def _in_sandbox(self, sandbox_id: str) -> list[SimContainer]:
        return [
            container
            for container in self._containers.values()
            if container.pod_sandbox_id == sandbox_id
        ]

    def _filtered(self, filter_: ContainerFilter | None) -> list[SimContainer]:
        wanted = filter_ or ContainerFilter()
        return [
            container
            for container in self._containers.values()
            if wanted.id in ("", container.id)
            and wanted.pod_sandbox_id in ("", container.pod_sandbox_id)
            and wanted.state in (None, container.state)
            and _has_labels(container.config.labels, wanted.label_selector)
        ]

    def _new_id(self) -> str:
        self._ids += 1
        return sha256(f"{self._seed}/{self._ids}".encode()).hexdigest()


def _has_labels(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in wanted.items())


def _duration(seconds: float) -> str:
    return f"{seconds:g}s"
