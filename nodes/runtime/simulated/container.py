"""One container: created, running, exited, and what its processes share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn
from zlib import crc32

from apimachinery.clock import Clock, Timer
from nodes.network.stream import Stream, stream_pair
from nodes.runtime.cri import (
    Code,
    ContainerConfig,
    ContainerState,
    ContainerStatus,
    LinuxContainerResources,
    RuntimeCallError,
)
from nodes.runtime.simulated.filesystem import Filesystem
from nodes.runtime.simulated.image import PulledImage
from nodes.runtime.simulated.launch import CannotRun, find_program
from nodes.runtime.simulated.logs import LogRing
from nodes.runtime.simulated.pipes import OutputQueue, Sink
from nodes.runtime.simulated.process import (
    SIGKILL,
    SIGNALS,
    PodNetwork,
    Process,
    Surroundings,
)
from nodes.runtime.simulated.program import Logging
from nodes.runtime.simulated.shell.helpers import Interpreters
from nodes.runtime.simulated.usage import Meter

NANO = 1_000_000_000
# Processes that exec may add to a container at a time.
MAX_EXECS = 32
NODE_CPUS = 4


class SimContainer:
    """The state machine behind CRI's container."""

    __slots__ = (
        "_clock",
        "_interpreters",
        "_kill_timer",
        "_on_exit",
        "_oom",
        "_says_at",
        "_world",
        "attached",
        "config",
        "created_at",
        "exit_code",
        "finished_at",
        "fs",
        "id",
        "image",
        "log",
        "main",
        "message",
        "net",
        "pod_sandbox_id",
        "reason",
        "resources",
        "started_at",
        "state",
        "stdin",
        "waiters",
    )

    def __init__(
        self,
        container_id: str,
        pod_sandbox_id: str,
        config: ContainerConfig,
        image: PulledImage,
        fs: Filesystem | None,
        net: PodNetwork,
        clock: Clock,
        on_exit: Callable[[SimContainer], None],
        interpreters: Interpreters,
    ) -> None:
        """`fs`: None as long as it is asleep, or where it has ended."""
        self.id = container_id
        self.pod_sandbox_id = pod_sandbox_id
        self.config = config
        self.image = image
        self.fs = fs
        self.net = net
        self.log = LogRing()
        self.resources: LinuxContainerResources = config.resources
        self.state = ContainerState.CREATED
        self.created_at = int(clock.seconds() * NANO)
        self.started_at = 0
        self.finished_at = 0
        self.exit_code = 0
        self.reason = ""
        self.message = ""
        self.main: Process | None = None
        self.stdin: Stream | None = None
        self.attached: list[OutputQueue] | None = None
        self.waiters: list[asyncio.Future[None]] | None = None
        self._world: Surroundings | None = None
        self._clock = clock
        self._on_exit = on_exit
        self._interpreters = interpreters
        self._kill_timer: Timer | None = None
        self._oom = False
        # When what it prints was said, while it makes up for its start.
        self._says_at = 0

    # -- life ------------------------------------------------------------------------------------

    @property
    def asleep(self) -> bool:
        """It ran before the worker was restarted, and its program has yet to go on."""
        return self.main is None and self.state is ContainerState.RUNNING

    def recall(self, status: ContainerStatus) -> None:
        """Be as it was: asleep, if it ran."""
        self.state, self.created_at = status.state, status.created_at
        self.started_at, self.finished_at = status.started_at, status.finished_at
        self.exit_code, self.reason, self.message = (
            status.exit_code,
            status.reason,
            status.message,
        )
        self.log.closed = self.state is ContainerState.EXITED

    def resume(self, config: ContainerConfig, fs: Filesystem) -> None:
        """Let the program go on, as if it had run since it was started."""
        self.config, self.fs = config, fs
        self._make_main()
        self._says_at = self.started_at
        self.begin()
        self._says_at = 0

    def start(self) -> None:
        """Make the main process; `begin` lets it run.

        UNKNOWN, and the container EXITED with 128, if there is no such program.
        """
        self.started_at = int(self._clock.seconds() * NANO)
        self._make_main()

    def _make_main(self) -> None:
        argv = self.argv()
        assert self.fs is not None  # noqa: S101 - only what is asleep or has ended has none
        world = self._surroundings(self.fs)
        program = find_program(world, argv, self.cwd())
        if isinstance(program, CannotRun):
            self._fail_to_start(program)
        if isinstance(program, Logging):
            self.log = program.log
        self._world = world
        server: Stream | None = None
        if self.config.stdin:
            self.stdin, server = stream_pair(("stdin", 0), ("stdin", 0))
        self.state = ContainerState.RUNNING
        self.main = Process(
            world,
            program,
            argv,
            self.environment(),
            self.cwd(),
            out=_Console(self),
            stdin=server,
            tty=self.config.tty,
            on_exit=self._exited,
        )

    def begin(self) -> None:
        """Let the main process run."""
        if self.main is not None:
            self.main.start()

    def stop(self, grace: float) -> None:
        """Send the stop signal, and KILL when the grace is over."""
        if self.asleep:
            # It could not go on: there is nobody to hear a signal.
            self.kill()
            return
        if self.main is None or not self.main.running:
            return
        if grace > 0:
            name = self.config.stop_signal or self.image.family.stop_signal
            self.main.signal(SIGNALS.get(name.removeprefix("SIG"), 15))
        if self.state is not ContainerState.RUNNING:
            return
        if self._kill_timer is not None:
            self._kill_timer.cancel()
        self._kill_timer = self._clock.call_later(max(0.0, grace), self.kill)

    def kill(self) -> None:
        """End at once."""
        if self.main is not None:
            self.main.signal(SIGKILL)
        elif self.asleep:
            self._exited(128 + SIGKILL)

    def out_of_memory(self) -> None:
        """The kernel kills the container for its memory."""
        self._oom = True
        self.kill()

    async def stopped(self) -> None:
        """Return once the container has exited."""
        while self.state is ContainerState.RUNNING:
            waiter = asyncio.get_running_loop().create_future()
            if self.waiters is None:
                self.waiters = []
            self.waiters.append(waiter)
            await waiter

    # -- processes -------------------------------------------------------------------------------

    def exec(
        self,
        argv: tuple[str, ...],
        *,
        out: Sink,
        stdin: Stream | None = None,
        tty: bool = False,
        on_exit: Callable[[int], None],
    ) -> Process:
        """Run another process beside the main one."""
        world = self._world
        if self.state is not ContainerState.RUNNING or world is None:
            state = self.state.removeprefix("CONTAINER_").lower()
            raise RuntimeCallError(
                Code.FAILED_PRECONDITION,
                f"failed to exec in container: container is in CONTAINER_{state.upper()} state",
            )
        if len(world.processes) > MAX_EXECS:
            raise RuntimeCallError(
                Code.RESOURCE_EXHAUSTED, "failed to exec in container: too many processes"
            )
        program = find_program(world, argv, self.cwd())
        if isinstance(program, CannotRun):
            raise RuntimeCallError(
                Code.UNKNOWN,
                f'failed to exec in container: failed to start exec "{self.id}": OCI runtime exec '
                "failed: exec failed: unable to start container process: "
                f"{program.why}: unknown",
            )
        env = self.environment()
        if tty:
            env["TERM"] = "xterm"
        process = Process(
            world,
            program,
            argv,
            env,
            self.cwd(),
            out=out,
            stdin=stdin,
            tty=tty,
            on_exit=on_exit,
        )
        process.start()
        return process

    def says_at(self) -> int:
        """Return the time of what it prints now, in ns."""
        return self._says_at or int(self._clock.seconds() * NANO)

    def argv(self) -> tuple[str, ...]:
        """Return what runs: the command replaces the image's entrypoint and its arguments."""
        family, config = self.image.family, self.config
        if config.command:
            return (*config.command, *config.args)
        entrypoint, args = family.entrypoint, config.args or family.cmd
        if entrypoint and entrypoint[0].endswith("docker-entrypoint.sh"):
            # Such scripts run their arguments; bare options are the server's.
            return args if not args[0].startswith("-") else (family.cmd[0], *args)
        return (*entrypoint, *args)

    def cwd(self) -> str:
        return self.config.working_dir or self.image.family.working_dir

    def environment(self) -> dict[str, str]:
        """Return the variables of the image, then of the pod."""
        env = self.image.family.environment()
        env["HOSTNAME"] = self.net.hostname
        env.update(self.config.envs)
        env.setdefault("HOME", "/root" if self.user()[0] == 0 else "/")
        return env

    def user(self) -> tuple[int, int]:
        """Return the uid and gid of the main process."""
        context = self.config.security_context
        image_user = self.image.family.user
        default = int(image_user) if image_user.isdigit() else 0
        uid = default if context.run_as_user is None else context.run_as_user
        return uid, context.run_as_group or 0

    @property
    def meter(self) -> Meter | None:
        """What it uses; None before it has run."""
        if self._world is not None:
            return self._world.meter
        return self._new_meter() if self.asleep else None

    @property
    def process_count(self) -> int:
        return len(self._world.processes) if self._world is not None else int(self.asleep)

    @property
    def written_bytes(self) -> int:
        """What it has written to its own file system."""
        return max(0, self.fs.written_bytes()) if self.fs is not None else 0

    def limit_cores(self) -> float:
        """Return the CPU limit in cores; without one, the node's."""
        quota, period = self.resources.cpu_quota, self.resources.cpu_period
        return quota / period if quota > 0 and period else float(NODE_CPUS)

    def update_resources(self, resources: LinuxContainerResources) -> None:
        """Change the limits of a container, running or not."""
        self.resources = resources
        if self._world is not None:
            now = self._clock.seconds()
            self._world.meter.limit_cores = self.limit_cores()
            self._world.memory_limit = resources.memory_limit_in_bytes
            limit = resources.memory_limit_in_bytes
            if limit and self._world.meter.memory(now) > limit:
                self.out_of_memory()

    def _new_meter(self) -> Meter:
        family = self.image.family
        meter = Meter(self._seed, self.started_at / NANO, family.cores, family.memory)
        meter.limit_cores = self.limit_cores()
        return meter

    @property
    def _seed(self) -> int:
        return crc32(self.id.encode())

    def _surroundings(self, fs: Filesystem) -> Surroundings:
        family = self.image.family
        return Surroundings(
            clock=self._clock,
            fs=fs,
            net=self.net,
            meter=self._new_meter(),
            seed=self._seed,
            programs=family.programs,
            fallback=family.fallback,
            userland=family.userland,
            user=self.user(),
            cpus=NODE_CPUS,
            memory_limit=self.resources.memory_limit_in_bytes,
            declared_ports=tuple(
                port.container_port for port in self.config.declared_ports if port.protocol == "TCP"
            ),
            out_of_memory=self.out_of_memory,
            interpreters=self._interpreters,
        )

    def _fail_to_start(self, failure: CannotRun) -> NoReturn:
        self.message = (
            "failed to create containerd task: failed to create shim task: OCI runtime create "
            "failed: runc create failed: unable to start container process: error during "
            f"container init: {failure.why}: unknown"
        )
        self._finish(128, "StartError")
        raise RuntimeCallError(Code.UNKNOWN, self.message)

    def _exited(self, code: int) -> None:
        world = self._world
        if world is not None:
            # The end of PID 1 is the end of all others.
            for process in list(world.processes.values()):
                process.exit(137)
        reason = "Completed" if code == 0 else "Error"
        self._finish(code, "OOMKilled" if self._oom else reason)

    def _finish(self, code: int, reason: str) -> None:
        now = int(self._clock.seconds() * NANO)
        self.state = ContainerState.EXITED
        self.exit_code, self.reason, self.finished_at = code, reason, now
        if self._kill_timer is not None:
            self._kill_timer.cancel()
        self.log.close(now)
        if self.stdin is not None:
            self.stdin.close()
        for waiter in self.waiters or ():
            if not waiter.done():
                waiter.set_result(None)
        self.waiters = None
        self._on_exit(self)


class _Console:
    """Where PID 1 prints: the log, and everyone who is attached."""

    __slots__ = ("_container",)

    def __init__(self, container: SimContainer) -> None:
        self._container = container

    def put(self, stream: int, data: bytes) -> None:
        container = self._container
        container.log.write(container.says_at(), stream, data)
        for queue in container.attached or ():
            queue.put(stream, data)

    async def drain(self) -> None:
        return
