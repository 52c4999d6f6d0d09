"""A process of a simulated container, and what it may do: print, listen, connect, exit.

PID 1 is special, as in a real container: a signal that it does not handle does nothing to it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from apimachinery.clock import Clock, Timer
from nodes.network.addresses import is_ip
from nodes.network.dns import Answer, ResolvConf
from nodes.network.fabric import CONNECT_TIMEOUT, Handler, Listener, Network
from nodes.network.http import HttpResponse, request
from nodes.network.stream import ByteStream, Stream
from nodes.network.tls import Trust
from nodes.runtime.cri import STDERR, STDOUT
from nodes.runtime.simulated.filesystem import Filesystem
from nodes.runtime.simulated.pipes import Sink, TtySink
from nodes.runtime.simulated.shell.helpers import Interpreters
from nodes.runtime.simulated.termios import TerminalSettings
from nodes.runtime.simulated.usage import Meter

log = logging.getLogger(__name__)

SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGTERM = 1, 2, 3, 9, 15
SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "TERM": 15}
# Tasks that one process may have; those that handle connections are the network's.
MAX_TASKS = 64


@dataclass(slots=True, frozen=True)
class PodNetwork:
    """The network as one pod sees it."""

    network: Network
    ip: str
    resolv: ResolvConf
    hostname: str

    async def connect(
        self,
        host: str,
        port: int,
        timeout: float = CONNECT_TIMEOUT,
    ) -> Stream:
        return await self.network.connect(self.ip, host, port, resolv=self.resolv, timeout=timeout)

    async def request(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: float = 60.0,
        trust: Trust | None = None,
    ) -> HttpResponse:
        return await request(
            self.network,
            self.ip,
            url,
            method=method,
            headers=headers,
            body=body,
            timeout=timeout,
            resolv=self.resolv,
            trust=trust,
        )

    def resolve(self, name: str) -> tuple[str, Answer]:
        """Go through the search path, without opening anything."""
        return self.network.dns.resolve(name, self.resolv)

    def resolve_ip(self, name: str) -> str:
        """Return the first address of a name or of an address. NameNotFound if it has none."""
        if is_ip(name):
            return name
        return self.network.resolve(self.ip, name, self.resolv)

    def dns_answers(self) -> bool:
        """Whether the pod reaches its name server."""
        return self.network.dns_answers(self.ip, self.resolv)


class Program(Protocol):
    """What runs in a process. See `program` for the base classes."""

    def start(self, process: Process) -> None: ...

    def signal(self, process: Process, number: int) -> None: ...


@dataclass(slots=True)
class Surroundings:
    """What the processes of one container share."""

    clock: Clock
    fs: Filesystem
    net: PodNetwork
    meter: Meter
    seed: int
    # The image's own programs by name, and which other commands it has.
    programs: Mapping[str, Callable[[], Program]]
    # What runs where a command is not known: an unknown image has unknown programs.
    fallback: Callable[[], Program] | None
    userland: str
    user: tuple[int, int]
    cpus: int
    memory_limit: int
    declared_ports: tuple[int, ...]
    out_of_memory: Callable[[], None]
    # Where its shells are interpreted.
    interpreters: Interpreters
    processes: dict[int, Process] = field(default_factory=dict)
    last_pid: int = 0


class Process:
    """One running program."""

    __slots__ = (
        "_listeners",
        "_on_exit",
        "_tasks",
        "_timers",
        "argv",
        "cwd",
        "env",
        "exit_code",
        "out",
        "pid",
        "program",
        "started",
        "stdin",
        "terminal",
        "tty",
        "world",
    )

    def __init__(
        self,
        world: Surroundings,
        program: Program,
        argv: tuple[str, ...],
        env: Mapping[str, str],
        cwd: str,
        *,
        out: Sink,
        stdin: ByteStream | None = None,
        tty: bool = False,
        on_exit: Callable[[int], None],
    ) -> None:
        self.world = world
        self.program = program
        self.argv = argv
        self.env = env
        self.cwd = cwd
        self.out: Sink = TtySink(out) if tty else out
        self.stdin = stdin
        self.tty = tty
        self.terminal = TerminalSettings() if tty else None
        self.exit_code: int | None = None
        self._on_exit = on_exit
        self._listeners: list[Listener] | None = None
        self._tasks: set[asyncio.Task[None]] | None = None
        self._timers: list[Timer] | None = None
        self.started = world.clock.seconds()
        world.last_pid += 1
        self.pid = world.last_pid
        world.processes[self.pid] = self

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def fs(self) -> Filesystem:
        return self.world.fs

    @property
    def net(self) -> PodNetwork:
        return self.world.net

    @property
    def running(self) -> bool:
        return self.exit_code is None

    # -- what a program does ---------------------------------------------------------------------

    def print(self, text: str) -> None:
        """Write a line to stdout, without waiting."""
        self.out.put(STDOUT, f"{text}\n".encode())

    def complain(self, text: str) -> None:
        """Write a line to stderr, without waiting."""
        self.out.put(STDERR, f"{text}\n".encode())

    def listen(self, port: int, handler: Handler, *, local: bool = False) -> None:
        """Serve a port of the pod until the process ends. OSError if it is taken."""
        listener = self.net.network.listen(self.net.ip, port, handler, local=local)
        if self._listeners is None:
            self._listeners = []
        self._listeners.append(listener)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run a task until the process ends. A failure ends the process with 1."""
        if not self.running or (self._tasks and len(self._tasks) >= MAX_TASKS):
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work, name=name)
        if self._tasks is None:
            self._tasks = set()
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def later(self, delay: float, callback: Callable[..., Any], *args: Any) -> None:
        """Call back unless the process has ended by then."""
        timer = self.clock.call_later(delay, self._if_running, callback, args)
        # Few are pending at a time: those that have fired are let go with the next one.
        self._timers = [*(self._timers or ())[-MAX_TASKS:], timer]

    def work(self, seconds: float) -> None:
        """Say that CPU time was spent."""
        self.world.meter.work(self.clock.seconds(), seconds)

    def take_memory(self, size: int) -> None:
        """Hold this much more memory; beyond the limit the container is killed."""
        meter = self.world.meter
        meter.extra_memory = max(0, meter.extra_memory + size)
        limit = self.world.memory_limit
        if limit and meter.memory(self.clock.seconds()) > limit:
            self.world.out_of_memory()

    def exit(self, code: int) -> None:
        """End: ports are closed, tasks cancelled, the parent told. Later calls change nothing."""
        if self.exit_code is not None:
            return
        self.exit_code = code & 0xFF
        for listener in self._listeners or ():
            listener.close()
        for timer in self._timers or ():
            timer.cancel()
        for task in list(self._tasks or ()):
            task.cancel()
        self._listeners = self._timers = None
        self.world.processes.pop(self.pid, None)
        self._on_exit(self.exit_code)

    # -- what is done to it ----------------------------------------------------------------------

    def start(self) -> None:
        """Let the program begin."""
        self.program.start(self)

    def signal(self, number: int) -> None:
        """Deliver a signal."""
        if not self.running:
            return
        if number == SIGKILL:
            self.exit(128 + SIGKILL)
        else:
            self.program.signal(self, number)

    def _if_running(self, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if self.running:
            callback(*args)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._tasks is not None:
            self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.error("program failed: %s", self.argv, exc_info=error)
        self.exit(1)
