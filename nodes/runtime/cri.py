"""The Container Runtime Interface, v1: all that a kubelet may know of a runtime.

Messages bear CRI's names and fields; a call that fails raises RuntimeCallError, which reads like
the gRPC error of a real runtime. Times are nanoseconds since the Unix epoch. Three things are
said here that CRI leaves to the node's disk, so that a runtime without one can keep the promise:
`LogService` (the log files), `HostFiles` (where volumes are filled), `Session` (a stream).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from nodes.network.stream import ByteStream

_NO_LABELS: Mapping[str, str] = {}


class Code(StrEnum):
    """The gRPC codes that runtimes answer with, as they are printed."""

    UNKNOWN = "Unknown"
    INVALID_ARGUMENT = "InvalidArgument"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    NOT_FOUND = "NotFound"
    ALREADY_EXISTS = "AlreadyExists"
    FAILED_PRECONDITION = "FailedPrecondition"
    RESOURCE_EXHAUSTED = "ResourceExhausted"
    UNAVAILABLE = "Unavailable"


class RuntimeCallError(Exception):
    """A call that the runtime refused or could not finish."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"rpc error: code = {self.code} desc = {self.message}"


# --- runtime ------------------------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class VersionResponse:
    version: str
    runtime_name: str
    runtime_version: str
    runtime_api_version: str


@dataclass(slots=True, frozen=True)
class RuntimeCondition:
    """RuntimeReady or NetworkReady."""

    type: str
    status: bool
    reason: str = ""
    message: str = ""


@dataclass(slots=True, frozen=True)
class RuntimeStatus:
    conditions: tuple[RuntimeCondition, ...]


# --- pod sandboxes ------------------------------------------------------------------------------


class NamespaceMode(StrEnum):
    POD = "POD"
    CONTAINER = "CONTAINER"
    NODE = "NODE"
    TARGET = "TARGET"


class PodSandboxState(StrEnum):
    READY = "SANDBOX_READY"
    NOTREADY = "SANDBOX_NOTREADY"


@dataclass(slots=True, frozen=True)
class NamespaceOption:
    network: NamespaceMode = NamespaceMode.POD
    pid: NamespaceMode = NamespaceMode.CONTAINER
    ipc: NamespaceMode = NamespaceMode.POD
    target_id: str = ""


@dataclass(slots=True, frozen=True)
class PodSandboxMetadata:
    name: str
    uid: str
    namespace: str
    attempt: int = 0


@dataclass(slots=True, frozen=True)
class DNSConfig:
    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class PortMapping:
    container_port: int
    host_port: int = 0
    host_ip: str = ""
    protocol: str = "TCP"


@dataclass(slots=True)
class PodSandboxConfig:
    metadata: PodSandboxMetadata
    hostname: str = ""
    log_directory: str = ""
    dns_config: DNSConfig | None = None
    port_mappings: tuple[PortMapping, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    cgroup_parent: str = ""
    namespace_options: NamespaceOption = NamespaceOption()
    sysctls: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class PodSandboxNetworkStatus:
    ip: str = ""
    additional_ips: tuple[str, ...] = ()


@dataclass(slots=True)
class PodSandboxStatus:
    id: str
    metadata: PodSandboxMetadata
    state: PodSandboxState
    created_at: int
    network: PodSandboxNetworkStatus
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    runtime_handler: str = ""


@dataclass(slots=True)
class PodSandbox:
    id: str
    metadata: PodSandboxMetadata
    state: PodSandboxState
    created_at: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(slots=True, frozen=True)
class PodSandboxFilter:
    id: str = ""
    state: PodSandboxState | None = None
    label_selector: Mapping[str, str] = field(default_factory=dict)


# --- containers ---------------------------------------------------------------------------------


class ContainerState(StrEnum):
    CREATED = "CONTAINER_CREATED"
    RUNNING = "CONTAINER_RUNNING"
    EXITED = "CONTAINER_EXITED"
    UNKNOWN = "CONTAINER_UNKNOWN"


@dataclass(slots=True, frozen=True)
class ContainerMetadata:
    name: str
    attempt: int = 0


@dataclass(slots=True, frozen=True)
class ImageSpec:
    image: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    user_specified_image: str = ""


@dataclass(slots=True, frozen=True)
class Mount:
    """A path of the node inside the container. host_path names something in HostFiles."""

    container_path: str
    host_path: str
    readonly: bool = False


@dataclass(slots=True, frozen=True)
class LinuxContainerResources:
    """cpu_quota of 0 or below and memory_limit_in_bytes of 0 mean no limit."""

    cpu_period: int = 100_000
    cpu_quota: int = 0
    cpu_shares: int = 2
    memory_limit_in_bytes: int = 0
    oom_score_adj: int = 0


@dataclass(slots=True, frozen=True)
class LinuxContainerSecurityContext:
    privileged: bool = False
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_username: str = ""
    supplemental_groups: tuple[int, ...] = ()
    readonly_rootfs: bool = False
    no_new_privs: bool = False
    add_capabilities: tuple[str, ...] = ()
    drop_capabilities: tuple[str, ...] = ()
    namespace_options: NamespaceOption = NamespaceOption()


@dataclass(slots=True)
class ContainerConfig:
    metadata: ContainerMetadata
    image: ImageSpec
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    envs: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    log_path: str = ""
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    resources: LinuxContainerResources = LinuxContainerResources()
    security_context: LinuxContainerSecurityContext = LinuxContainerSecurityContext()
    # Ports that the pod declares. CRI does not carry them; an image that the simulation does not
    # know listens on them, a real runtime ignores them.
    declared_ports: tuple[PortMapping, ...] = ()
    stop_signal: str = ""


@dataclass(slots=True)
class ContainerStatus:
    """reason is Completed, Error, OOMKilled, ContainerCannotRun or StartError once EXITED."""

    id: str
    pod_sandbox_id: str
    metadata: ContainerMetadata
    state: ContainerState
    created_at: int
    started_at: int
    finished_at: int
    exit_code: int
    image: ImageSpec
    image_ref: str
    reason: str
    message: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    mounts: tuple[Mount, ...]
    log_path: str
    resources: LinuxContainerResources
    image_id: str = ""
    user: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class Container:
    id: str
    pod_sandbox_id: str
    metadata: ContainerMetadata
    image: ImageSpec
    image_ref: str
    state: ContainerState
    created_at: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(slots=True, frozen=True)
class ContainerFilter:
    id: str = ""
    state: ContainerState | None = None
    pod_sandbox_id: str = ""
    label_selector: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class ContainerStats:
    """What a container uses at `timestamp`. cpu_usage counts core nanoseconds since its start."""

    id: str
    pod_sandbox_id: str
    metadata: ContainerMetadata
    labels: Mapping[str, str]
    timestamp: int
    cpu_usage_nano_cores: int
    cpu_usage_core_nano_seconds: int
    memory_working_set_bytes: int
    memory_usage_bytes: int
    memory_rss_bytes: int
    writable_layer_used_bytes: int
    process_count: int = 1


class ContainerEventType(StrEnum):
    CREATED = "CONTAINER_CREATED_EVENT"
    STARTED = "CONTAINER_STARTED_EVENT"
    STOPPED = "CONTAINER_STOPPED_EVENT"
    DELETED = "CONTAINER_DELETED_EVENT"


@dataclass(slots=True, frozen=True)
class ContainerEventResponse:
    container_id: str
    container_event_type: ContainerEventType
    created_at: int
    pod_sandbox_id: str
    pod_sandbox_metadata: PodSandboxMetadata


class Subscription(Protocol):
    """A callback that is called until it is cancelled."""

    def cancel(self) -> None: ...


@dataclass(slots=True, frozen=True)
class ExecSyncResponse:
    stdout: bytes
    stderr: bytes
    exit_code: int


@dataclass(slots=True, frozen=True)
class ExecRequest:
    container_id: str
    cmd: tuple[str, ...]
    tty: bool = False
    stdin: bool = False
    stdout: bool = True
    stderr: bool = True


@dataclass(slots=True, frozen=True)
class AttachRequest:
    container_id: str
    tty: bool = False
    stdin: bool = False
    stdout: bool = True
    stderr: bool = True


STDOUT, STDERR = 1, 2


class Session(Protocol):
    """One running exec or attach, seen from the client's side."""

    async def write_stdin(self, data: bytes) -> None:
        """Hand input over; waits while the program does not read."""

    def close_stdin(self) -> None:
        """Say that no more input comes."""

    def resize(self, width: int, height: int) -> None:
        """Tell the terminal's size."""

    def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield (STDOUT or STDERR, bytes) until the program has ended."""

    async def wait(self) -> int:
        """Return the exit code (0 for an attach that was detached)."""

    async def close(self) -> None:
        """The client has gone: an exec is killed, an attach detached."""


class RuntimeService(Protocol):
    """Pods and containers of one node."""

    async def version(self) -> VersionResponse: ...
    async def status(self) -> RuntimeStatus: ...

    async def run_pod_sandbox(self, config: PodSandboxConfig, runtime_handler: str = "") -> str: ...
    async def stop_pod_sandbox(self, pod_sandbox_id: str) -> None: ...
    async def remove_pod_sandbox(self, pod_sandbox_id: str) -> None: ...
    async def pod_sandbox_status(self, pod_sandbox_id: str) -> PodSandboxStatus: ...
    async def list_pod_sandbox(
        self,
        filter: PodSandboxFilter | None = None,  # noqa: A002 - CRI's name
    ) -> list[PodSandbox]: ...

    async def create_container(
        self,
        pod_sandbox_id: str,
        config: ContainerConfig,
        sandbox_config: PodSandboxConfig,
    ) -> str: ...
    async def start_container(self, container_id: str) -> None: ...

    async def stop_container(self, container_id: str, timeout: float) -> None:
        """Return once the container has stopped: TERM, then KILL after `timeout` seconds."""

    async def remove_container(self, container_id: str) -> None: ...
    async def container_status(self, container_id: str) -> ContainerStatus: ...
    async def list_containers(
        self,
        filter: ContainerFilter | None = None,  # noqa: A002 - CRI's name
    ) -> list[Container]: ...
    async def update_container_resources(
        self, container_id: str, resources: LinuxContainerResources
    ) -> None: ...
    async def reopen_container_log(self, container_id: str) -> None: ...

    async def exec_sync(
        self,
        container_id: str,
        cmd: tuple[str, ...],
        timeout: float = 0,
    ) -> ExecSyncResponse:
        """Run to its end. A timeout (0: none) raises DEADLINE_EXCEEDED."""

    async def exec(self, request: ExecRequest) -> Session: ...
    async def attach(self, request: AttachRequest) -> Session: ...

    async def port_forward(self, pod_sandbox_id: str, port: int) -> ByteStream:
        """Connect to a port on the pod's own loopback. ConnectionRefusedError if nobody listens."""

    async def container_stats(self, container_id: str) -> ContainerStats: ...
    async def list_container_stats(
        self,
        filter: ContainerFilter | None = None,  # noqa: A002 - CRI's name
    ) -> list[ContainerStats]: ...

    def get_container_events(
        self, callback: Callable[[ContainerEventResponse], None]
    ) -> Subscription:
        """Call back, from the event loop, for each change from now on."""


# --- images -------------------------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class Image:
    """id is the config's digest; repo_digests hold `repository@sha256:...`."""

    id: str
    repo_tags: tuple[str, ...]
    repo_digests: tuple[str, ...]
    size: int
    uid: int | None = None
    username: str = ""
    pinned: bool = False


@dataclass(slots=True, frozen=True)
class FilesystemUsage:
    timestamp: int
    mountpoint: str
    used_bytes: int
    inodes_used: int


@dataclass(slots=True, frozen=True)
class AuthConfig:
    username: str = ""
    password: str = ""
    server_address: str = ""
    registry_token: str = ""


class ImageService(Protocol):
    """Images of one node."""

    async def list_images(self, filter: ImageSpec | None = None) -> list[Image]: ...  # noqa: A002
    async def image_status(self, image: ImageSpec) -> Image | None: ...

    async def pull_image(
        self,
        image: ImageSpec,
        auth: AuthConfig | None = None,
        sandbox_config: PodSandboxConfig | None = None,
    ) -> str:
        """Return the image's reference. Takes as long as the download does."""

    async def remove_image(self, image: ImageSpec) -> None: ...
    async def image_fs_info(self) -> FilesystemUsage: ...


# --- what CRI leaves to the node's disk ---------------------------------------------------------


@dataclass(slots=True, frozen=True)
class LogOptions:
    """As in PodLogOptions. since: only entries at or after this time, in ns. tail -1: all."""

    follow: bool = False
    tail_lines: int = -1
    since: int = 0
    timestamps: bool = False
    limit_bytes: int = 0
    stream: str = "All"


class LogService(Protocol):
    """Logs of containers, current and exited, until the container is removed."""

    def read_log(
        self, container_id: str, log_path: str, options: LogOptions
    ) -> AsyncIterator[bytes]:
        """Yield whole lines, ready to send. A followed log ends when its container has ended."""


class HostFiles(Protocol):
    """The part of the node's disk that the kubelet fills: volumes, /etc/hosts, termination logs.

    Paths are absolute. Volumes that a running container has mounted change at once for it.
    """

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        """Make the directory and its parents."""

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write one file; its directory is made."""

    def replace(self, path: str, files: Mapping[str, tuple[bytes, int]]) -> None:
        """Make a directory hold exactly `files`: {relative path: (content, mode)}, at once."""

    def read(self, path: str, limit: int = 0) -> bytes | None:
        """Return a file's last `limit` bytes (0: all), None where there is no such file."""

    def exists(self, path: str) -> bool: ...

    def is_dir(self, path: str) -> bool: ...

    def used_bytes(self, path: str) -> int:
        """Return what all files below the path hold."""

    def remove(self, path: str) -> None:
        """Remove a file or a whole directory; fine if there is none."""
