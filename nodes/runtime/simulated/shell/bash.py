"""One interpreter for the scripts of one process, on the container's files and network.

The interpreter runs in another process (`helpers`), so nothing that a script does to it reaches
this one; its commands that touch the simulation run here. Bounds: commands, output, memory and CPU
of each run.

On a loop with virtual time the loop is kept from going idle while a script computes, since an idle
virtual loop would jump to its next timer, and time would pass that the script has not taken.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from nodes.runtime.cri import STDERR
from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.shell.helpers import Helper, Lost
from nodes.runtime.simulated.shell.pace import SHARE, Pace
from nodes.runtime.simulated.shell.remote import Remote
from nodes.runtime.simulated.shell.wire import Head

# Real seconds that one run may compute, waiting not counted: a fork bomb is over before.
MAX_BUSY = 3.0
# What a command of ours costs the interpreter on the way here and back: not the script's doing.
_FOR_A_COMMAND = 0.001
# What execve takes as one argument, with room for a large ConfigMap.
MAX_SCRIPT = 1024 * 1024
# Beyond this the interpreter waits for its output to be read (outputs.WINDOW).
_WINDOW = 128 * 1024
_NOT_FOUND = re.compile(rb"bash: line \d+: ([^\n:]+): command not found[^\n]*")
_LINE = re.compile(rb"^bash: line (\d+): ", re.MULTILINE)
_READ_ONLY = re.compile(rb"(?:io error: )?filesystem is read-only")

log = logging.getLogger(__name__)

Handler = Callable[["Shell", Remote], Awaitable[int]]
Result = TypeVar("Result")


class Exhausted(Exception):
    """The script wants more than it may have: it would run on and on."""


class Shell:
    """An interpreter with state: variables, functions and the directory stay between runs.

    It starts with the first run, and has to be closed. Lost, from any call, means that the
    interpreter broke and that the state is gone.
    """

    def __init__(
        self,
        process: Process,
        commands: Mapping[str, Handler],
        *,
        name: str = "sh",
        state: bytes | None = None,
        python: bool = False,
        pace: Pace | None = None,
    ) -> None:
        """`pace`: it may run on and on, and its commands come at that."""
        self.cwd = process.cwd
        # The last script was understood, and ran until its end or to its `exit`.
        self.ran = True
        self._process = process
        self._handlers = commands
        self._name = name.encode()
        self._initial = state or b""
        self._python = python
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._helper: Helper | None = None
        self._number = 0
        # Commands of ours that run, those of them that wait for their stdin, and those that write.
        self._calls: dict[int, tuple[Remote, asyncio.Task[None]]] = {}
        self._reading = 0
        self._writing = 0
        self._opening = False
        self._busy_since: float | None = None
        self._busy = 0.0
        self._turn_began = 0.0
        self._over = False
        self._stopping = False
        self._run: int | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[Head] | None = None
        # Bytes of output that the interpreter has not been told to be taken.
        self._untaken = 0
        self._draining: asyncio.Task[None] | None = None

    # -- for programs ----------------------------------------------------------------------------

    async def run(self, script: str) -> int:
        """Run a script to its end; return its exit code. Exhausted if it took too much; Lost."""
        data = script.encode("utf-8", "replace")
        if len(data) > MAX_SCRIPT:
            self._complain(self._name + b": Argument list too long\n")
            return 126
        helper = await self._open()
        if self._stopping:
            return 130
        self._busy, self._over, self._untaken = 0.0, False, 0
        self._turn_began = time.monotonic()
        self._run, ended = helper.run(self._number, data, self)
        self._ended = ended
        self._start_busy()
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError:
            helper.send("cancel", shell=self._number)
            helper.end_unless(ended)
            raise
        finally:
            self._finish()
        if self._over and isinstance(ended.exception(), Lost):
            raise Exhausted
        return self._code(ended.result())

    async def parses(self, script: str) -> bool:
        """Whether a script is complete; False while a quote or a block is open."""
        helper = await self._open()
        with self._awake():
            data = script.encode("utf-8", "replace")
            head, _ = await helper.ask("parses", data, shell=self._number)
        return bool(head["yes"])

    async def state(self) -> bytes:
        """Return variables, functions and directory, for a later interpreter."""
        helper = await self._open()
        with self._awake():
            _, state = await helper.ask("state", shell=self._number)
        return state

    def cancel(self) -> None:
        """End the current run at its next command; runs to come end at once, until `renew`."""
        self._stopping = True
        if self._helper is not None and self._run is not None:
            self._helper.send("cancel", shell=self._number)
            self._start_busy()

    def renew(self) -> None:
        """Allow runs again after `cancel`."""
        self._stopping = False
        if self._helper is not None:
            self._helper.send("renew", shell=self._number)

    def close(self) -> None:
        """Let go of the interpreter."""
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.drop(self._number)
            self._process.world.interpreters.release(helper, self._process.fs)

    # -- for commands ----------------------------------------------------------------------------

    async def through(self, awaitable: Awaitable[Result], *, reading: bool = False) -> Result:
        """Wait, inside a command, for the interpreter itself: for its pipes."""
        self._count(reading=reading, change=1)
        try:
            return await awaitable
        finally:
            self._count(reading=reading, change=-1)

    # -- helpers.Runner --------------------------------------------------------------------------

    def printed(self, stream: int, data: bytes) -> None:
        if stream == STDERR:
            data = self._reworded(data)
        self._process.out.put(stream, data)
        self._untaken += len(data)
        if self._draining is None:
            self._draining = self._loop.create_task(self._drain())
        if self._untaken > _WINDOW:
            self._weigh()

    def called(self, call: int, head: Head) -> None:
        assert self._helper is not None  # noqa: S101 - it has called
        remote = Remote(self._helper, call, head)
        handler = self._handlers[remote.name]
        task = self._loop.create_task(self._command(call, remote, handler), name=remote.name)
        self._calls[call] = (remote, task)
        self._weigh()

    def heard(self, call: int, head: Head, body: bytes) -> None:
        if call in self._calls:
            self._calls[call][0].heard(head, body)

    def aborted(self, call: int) -> None:
        if call in self._calls:
            self._calls[call][1].cancel()

    # -- inside ----------------------------------------------------------------------------------

    async def _open(self) -> Helper:
        """Start the interpreter if need be."""
        if self._helper is not None:
            return self._helper
        process = self._process
        await process.world.interpreters.calm_down(process.fs)
        with self._awake():
            helper = await process.world.interpreters.take(process.fs)
        try:
            self._number = helper.open(
                process.fs.trees(),
                self._initial,
                user="root" if process.world.user[0] == 0 else "user",
                host=process.net.hostname,
                cwd=process.cwd,
                env={
                    **process.env,
                    **({"BASHKIT_ALLOW_INPROCESS_PYTHON": "1"} if self._python else {}),
                },
                commands=list(self._handlers),
                python=self._python,
                endless=self._pace is not None,
                readonly=process.fs.readonly,
            )
        except Lost:
            process.world.interpreters.release(helper, process.fs)
            raise
        self._helper = helper
        return helper

    async def _command(self, call: int, remote: Remote, handler: Handler) -> None:
        code = 1
        try:
            # Commands with such names are the shell's own.
            if self._pace is not None and not remote.name.startswith("__"):
                await self._process.clock.sleep(self._pace.take())
            code = await handler(self, remote)
        except (BrokenPipeError, asyncio.CancelledError):
            code = 141 if not self._cancelled(call) else 143
        finally:
            self._calls.pop(call, None)
            self._forgive()
            if self._helper is not None:
                self._helper.call_ended(call, code & 0xFF)
            self._weigh()

    def _forgive(self) -> None:
        """A command has run: what the interpreter computed for it does not count."""
        now = time.monotonic()
        share = _FOR_A_COMMAND
        if self._pace is not None:
            share = max(SHARE, (now - self._turn_began) / 2)
        self._busy, self._turn_began = max(0.0, self._busy - share), now

    def _cancelled(self, call: int) -> bool:
        _, task = self._calls[call]
        return task.cancelling() > 0

    def _finish(self) -> None:
        self._run = self._ended = None
        for _, task in list(self._calls.values()):
            task.cancel()
        if self._draining is not None:
            self._draining.cancel()
            self._draining = None
        self._stop_busy()
        self._process.work(self._busy)
        self._process.fs.collect()

    def _code(self, end: Head) -> int:
        error = str(end["error"])
        self.cwd, self.ran = str(end["cwd"]), not error
        if self._over or "limit exceeded" in error or "budget exhausted" in error:
            raise Exhausted(error)
        if error.startswith("not made: "):
            log.warning("a shell could not be made: %s", error)
        if error and "parse error" in error:
            text = error.partition(": ")[2][:400]
            self._complain(self._name + b": " + text.encode() + b"\n")
            return 2
        return int(end["code"])

    async def _drain(self) -> None:
        """Tell the interpreter what has been taken, once those who read are ready for more."""
        while self._untaken:
            await self._process.out.drain()
            taken, self._untaken = self._untaken, 0
            if self._helper is not None and self._run is not None:
                self._helper.send("ack", run=self._run, size=taken)
            self._weigh()
        self._draining = None

    def _complain(self, data: bytes) -> None:
        self._process.out.put(STDERR, data)

    def _reworded(self, data: bytes) -> bytes:
        name = self._name
        data = _READ_ONLY.sub(b"Read-only file system", data)
        if name != b"bash":
            data = _NOT_FOUND.sub(name + rb": \1: not found", data)
            return _LINE.sub(name + rb": line \1: ", data)
        return _NOT_FOUND.sub(rb"bash: line 1: \1: command not found", data)

    # -- who computes ----------------------------------------------------------------------------

    def _count(self, *, reading: bool, change: int) -> None:
        if reading:
            self._reading += change
        else:
            self._writing += change
        self._weigh()

    def _weigh(self) -> None:
        """Decide who has the next step: the interpreter, or a command or a reader of ours."""
        ours = len(self._calls) > self._reading and not self._writing
        if ours or self._run is None or self._untaken > _WINDOW:
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
        if self._helper is not None and self._ended is not None:
            self._helper.send("cancel", shell=self._number)
            self._helper.end_unless(self._ended)

    @contextmanager
    def _awake(self) -> Any:
        """Let no virtual time pass while the interpreter is waited for."""
        self._opening = True
        if _is_virtual(self._loop):
            self._loop.call_soon(self._keep_awake)
        try:
            yield
        finally:
            self._opening = False

    def _keep_awake(self) -> None:
        since = self._busy_since
        if since is None and not self._opening:
            return
        if since is not None and self._busy + time.monotonic() - since > MAX_BUSY:
            self._give_up()
            return
        # The interpreter's threads get the lock meanwhile.
        time.sleep(0)
        self._loop.call_soon(self._keep_awake)


def _is_virtual(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop keeps a time of its own, as tests have it."""
    kind = type(loop)
    return kind.time is not asyncio.BaseEventLoop.time and not kind.__module__.startswith("uvloop")
