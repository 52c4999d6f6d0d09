"""One interpreter for the scripts of one process, on the container's files and network.

The interpreter (bashkit) is a sandbox: it has no way to the host's files, network or processes.
Its work runs on its own threads, so a busy script never holds up the event loop; commands that
touch the simulation run in the loop. Bounds: commands, output, memory and CPU of each run.

On a loop with virtual time the loop is kept from going idle while a script computes, since an idle
virtual loop would jump to its next timer, and time would pass that the script has not taken.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from bashkit import Bash, BashError, ExecutionProfile

from nodes.runtime.cri import STDERR, STDOUT
from nodes.runtime.simulated.process import Process

# About 50 ms of an endless loop; a script for people needs a hundredth of it.
MAX_COMMANDS = 20_000
# Real seconds that one run may compute, waiting not counted: a fork bomb is over before.
MAX_BUSY = 3.0
# Runs may wait (sleep) for long; this only says that nothing runs for ever.
_LONGEST = 30 * 86400.0
_NOT_FOUND = re.compile(rb"bash: line \d+: ([^\n:]+): command not found[^\n]*")
_LINE = re.compile(rb"^bash: line (\d+): ", re.MULTILINE)

Handler = Callable[["Shell", Any], Awaitable[int]]
Result = TypeVar("Result")


# Runs that were cancelled and end at their next command; nobody else holds on to them.
_ending: set[asyncio.Future[Any]] = set()


def _ended(execution: asyncio.Future[Any]) -> None:
    _ending.discard(execution)
    if not execution.cancelled():
        execution.exception()


async def settle() -> None:
    """Wait until the cancelled runs of this loop have ended."""
    loop = asyncio.get_running_loop()
    while ending := [run for run in _ending if run.get_loop() is loop]:
        await asyncio.wait(ending)


class Exhausted(Exception):
    """The script wants more than it may have: it would run on and on."""


class Shell:
    """An interpreter with state: variables, functions and the directory stay between runs."""

    def __init__(
        self,
        process: Process,
        commands: Mapping[str, Handler],
        *,
        name: str = "sh",
        state: bytes | None = None,
        python: bool = False,
    ) -> None:
        self._process = process
        self._name = name.encode()
        self._loop = asyncio.get_running_loop()
        # Commands of ours that run, those of them that wait for their stdin, and those that write.
        self._commands = 0
        self._reading = 0
        self._writing = 0
        self._busy_since: float | None = None
        self._busy = 0.0
        self._over = False
        self._running = False
        self._watch: asyncio.TimerHandle | None = None
        env = {**process.env, **({"BASHKIT_ALLOW_INPROCESS_PYTHON": "1"} if python else {})}
        self._bash = Bash(
            username="root" if process.world.user[0] == 0 else "user",
            hostname=process.net.hostname,
            cwd=process.cwd,
            env=env,
            max_commands=MAX_COMMANDS,
            timeout_seconds=_LONGEST,
            python=python,
            readonly_filesystem=process.fs.readonly,
            profile=ExecutionProfile.Standard,
        )
        for command, handler in commands.items():
            self._bash.add_command(command, self._in_loop(handler))
        if state is not None:
            self._bash.restore_snapshot(state)
        process.fs.mount_into(self._bash)

    async def run(self, script: str) -> int:
        """Run a script to its end; return its exit code. Exhausted if it took too much."""
        self._busy, self._over, self._running = 0.0, False, True
        self._start_busy()
        execution = asyncio.ensure_future(
            self._bash.execute(script, stdout=self._out, stderr=self._err)
        )
        try:
            result = await asyncio.shield(execution)
        except asyncio.CancelledError:
            self._bash.cancel()
            _ending.add(execution)
            execution.add_done_callback(_ended)
            raise
        finally:
            self._running = False
            self._stop_busy()
            self._process.work(self._busy)
            self._process.fs.collect()
        error = result.error or ""
        if self._over or "limit exceeded" in error or "budget exhausted" in error:
            raise Exhausted(error)
        if error and "parse error" in error:
            await self._err(f"{self._name.decode()}: {error.partition(': ')[2]}\n".encode())
            return 2
        return int(result.exit_code)

    async def through(self, awaitable: Awaitable[Result], *, reading: bool = False) -> Result:
        """Wait, inside a command, for the interpreter itself: for its pipes."""
        self._count(reading=reading, change=1)
        try:
            return await awaitable
        finally:
            self._count(reading=reading, change=-1)

    def cancel(self) -> None:
        """End the current run at its next command."""
        self._bash.cancel()
        if self._running:
            self._start_busy()

    def renew(self) -> None:
        """Allow runs again after `cancel`."""
        self._bash.clear_cancel()

    def state(self) -> bytes:
        """Return variables, functions and directory, for a later interpreter."""
        return self._bash.snapshot(exclude_filesystem=True)

    @property
    def cwd(self) -> str:
        return self._bash.shell_state().cwd

    def parses(self, script: str) -> bool:
        """Whether a script is complete; False while a quote or a block is open."""
        return parses(self._bash, script)

    def _in_loop(self, handler: Handler) -> Callable[[Any], Awaitable[int]]:
        async def command(context: Any) -> int:
            self._commands += 1
            self._weigh()
            try:
                return await handler(self, context)
            finally:
                self._commands -= 1
                self._weigh()

        return command

    async def _out(self, data: bytes) -> None:
        self._process.out.put(STDOUT, data)
        await self._process.out.drain()

    async def _err(self, data: bytes) -> None:
        name = self._name
        if name != b"bash":
            data = _NOT_FOUND.sub(name + rb": \1: not found", data)
            data = _LINE.sub(name + rb": line \1: ", data)
        else:
            data = _NOT_FOUND.sub(rb"bash: line 1: \1: command not found", data)
        self._process.out.put(STDERR, data)
        await self._process.out.drain()

    def _count(self, *, reading: bool, change: int) -> None:
        if reading:
            self._reading += change
        else:
            self._writing += change
        self._weigh()

    def _weigh(self) -> None:
        """Decide who has the next step: the interpreter, or a command of ours that waits."""
        ours = self._commands > self._reading and not self._writing
        if ours or not self._running:
            self._stop_busy()
        elif self._busy_since is None:
            self._start_busy()

    def _start_busy(self) -> None:
        self._stop_busy()
        self._busy_since = time.monotonic()
        if _is_virtual(self._loop):
            self._loop.call_soon(self._keep_awake)
        else:
            left = MAX_BUSY - self._busy
            self._watch = self._loop.call_later(max(left, 0.0), self._give_up)

    def _stop_busy(self) -> None:
        if self._busy_since is not None:
            self._busy += time.monotonic() - self._busy_since
            self._busy_since = None
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _give_up(self) -> None:
        self._over = True
        self._bash.cancel()

    def _keep_awake(self) -> None:
        since = self._busy_since
        if since is None:
            return
        if self._busy + time.monotonic() - since > MAX_BUSY:
            self._give_up()
            return
        # The interpreter's threads get the lock meanwhile.
        time.sleep(0)
        self._loop.call_soon(self._keep_awake)


def _is_virtual(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop keeps a time of its own, as tests have it."""
    kind = type(loop)
    return kind.time is not asyncio.BaseEventLoop.time and not kind.__module__.startswith("uvloop")


def parses(bash: Bash, script: str) -> bool:
    """Whether the interpreter can read all of a script."""
    try:
        bash.analyze(script)
    except BashError as error:
        return not any(words in str(error) for words in ("unexpected EOF", "unexpected end"))
    return True
