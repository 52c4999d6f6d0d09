"""The interpreters of one cluster: processes that start with the first shell and end when idle.

No cluster shares a process with another. Within a cluster a container's shells share one, since
they work on the same files; other containers get another process as long as there are few. When a
process is lost its runs end with `Lost`, and the next shell gets a new one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from nodes.runtime.simulated.filesystem import Filesystem, Tree
from nodes.runtime.simulated.shell.links import Connect, Link, own_process
from nodes.runtime.simulated.shell.mirrors import Mirrors
from nodes.runtime.simulated.shell.wire import Head
from nodes.runtime.simulated.volume import Volume

log = logging.getLogger(__name__)

# Processes of one cluster: three neighbours do not disturb each other, and 60 MB are enough.
MAX_HELPERS = 3
# Seconds that an unused process waits for the next shell.
KEPT = 60.0
# A run that was cancelled ends at its next command. One that has none within this many seconds
# is ended with its process.
GRACE = 0.5
# A question is answered at once, unless another script has broken the interpreter.
_ANSWER = 3.0
# A process that has grown beyond this serves its last users; it does not give memory back.
_WORN = 96 * 1024 * 1024
# After so many losses within a minute each start waits: 0.5 s, 1 s, ... up to 8 s.
_FREE_LOSSES = 4
_LONGEST_WAIT = 8.0
# What a command ends with whose shell has gone: SIGTERM.
_TERMINATED = 143


class Lost(Exception):
    """The interpreter has ended, and the run with it."""


class Runner(Protocol):
    """Who is told what a run does."""

    def printed(self, stream: int, data: bytes) -> None: ...

    def called(self, call: int, head: Head) -> None: ...

    def heard(self, call: int, head: Head, body: bytes) -> None: ...

    def aborted(self, call: int) -> None: ...


@dataclass(slots=True)
class _Run:
    """One script that runs in a shell, and who is told; nobody once the shell is let go."""

    shell: int
    runner: Runner | None
    ended: asyncio.Future[Head]


class Helper:
    """One interpreter process, and what it is doing for whom."""

    def __init__(self, on_lost: Callable[[Helper], None]) -> None:
        self.started: asyncio.Task[None]
        self.link: Link | None = None
        self.alive = True
        self.worn = False
        self.users: dict[Filesystem, int] = {}
        self.idle: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._on_lost = on_lost
        self._mirrors = Mirrors(self._post)
        self._ids = 0
        self._runs: dict[int, _Run] = {}
        self._calls: dict[int, _Run] = {}
        self._shells: dict[int, list[Volume]] = {}
        self._questions: dict[int, asyncio.Future[tuple[Head, bytes]]] = {}

    # -- asking ----------------------------------------------------------------------------------

    def send(self, op: str, body: bytes = b"", **head: Any) -> None:
        """Send a message, after all that has changed in the files that it holds."""
        self._mirrors.flush()
        self._post({"op": op, **head}, body)

    def open(self, trees: list[Tree], body: bytes, **head: Any) -> int:
        """Make a shell on these trees; return its number."""
        if not self.alive:
            raise Lost
        hold = self._mirrors.hold
        seen = [
            (tree.path, hold(tree.volume, writable=not tree.readonly), tree.readonly)
            for tree in trees
        ]
        number = self._new_id()
        self._shells[number] = [tree.volume for tree in trees]
        self.send("shell", body, shell=number, trees=seen, **head)
        return number

    def drop(self, shell: int) -> None:
        """Let go of a shell: whoever ran something in it hears no more of that."""
        volumes = self._shells.pop(shell, None)
        if volumes is not None and self.alive:
            for run in self._runs.values():
                if run.shell == shell:
                    self._let_go(run)
            self.send("drop", shell=shell)
            for volume in volumes:
                self._mirrors.release(volume)

    def run(self, shell: int, script: bytes, runner: Runner) -> tuple[int, asyncio.Future[Head]]:
        """Begin a run. The future gives its end, or Lost."""
        number = self._new_id()
        ended: asyncio.Future[Head] = self._loop.create_future()
        if not self.alive:
            ended.set_exception(Lost())
            return number, ended
        self._runs[number] = _Run(shell, runner, ended)
        self.send("run", script, run=number, shell=shell)
        return number, ended

    async def ask(self, op: str, body: bytes = b"", **head: Any) -> tuple[Head, bytes]:
        """Send a question, return its answer. Lost."""
        if not self.alive:
            raise Lost
        number = self._new_id()
        answer = self._questions[number] = self._loop.create_future()
        self.send(op, body, question=number, **head)
        watch = self._loop.call_later(_ANSWER, self.end)
        try:
            found: tuple[Head, bytes] = await answer
        finally:
            watch.cancel()
            self._questions.pop(number, None)
        return found

    def end_unless(self, ended: asyncio.Future[Head]) -> asyncio.TimerHandle:
        """End the process if a run that was cancelled does not end soon."""
        return self._loop.call_later(GRACE, lambda: None if ended.done() else self.end())

    def end(self) -> None:
        if self.link is not None:
            self.link.end()

    # -- hearing ---------------------------------------------------------------------------------

    def receive(self, head: Head, body: bytes) -> None:
        """Take a message of the process."""
        op = head["op"]
        if op == "files":
            self._mirrors.apply(head, body)
        elif op == "out":
            run = self._runs.get(head["run"])
            if run is not None and run.runner is not None:
                run.runner.printed(2 if head["stream"] == 2 else 1, body)
        elif op == "ended":
            self.worn = self.worn or int(head["memory"]) > _WORN
            run = self._runs.pop(head["run"], None)
            if run is not None and not run.ended.done():
                run.ended.set_result(head)
        elif op == "answer":
            answer = self._questions.get(head["question"])
            if answer is not None and not answer.done():
                answer.set_result((head, body))
        else:
            self._receive_call(op, head, body)

    def _receive_call(self, op: str, head: Head, body: bytes) -> None:
        number = head["call"]
        if op == "call":
            run = self._runs.get(head["run"])
            if run is not None and run.runner is not None:
                self._calls[number] = run
                run.runner.called(number, head)
            else:  # it was under way when the shell was let go; the script waits for an end
                self.send("done", call=number, code=_TERMINATED)
        elif number in self._calls and (runner := self._calls[number].runner) is not None:
            if op == "abort":
                runner.aborted(number)
            else:
                runner.heard(number, head, body)

    def call_ended(self, call: int, code: int) -> None:
        """A command has run: let the script go on."""
        if self._calls.pop(call, None) is not None:
            self.send("done", call=call, code=code)

    def lost(self) -> None:
        """The process is gone."""
        if not self.alive:
            return
        self.alive = False
        self._mirrors.close()
        for run in self._runs.values():
            for call in self._calls_of(run):
                if run.runner is not None:
                    run.runner.aborted(call)
            if not run.ended.done():
                run.ended.set_exception(Lost())
                run.ended.exception()  # nobody may be waiting any more
        for answer in self._questions.values():
            if not answer.done():
                answer.set_exception(Lost())
                answer.exception()
        self._runs.clear()
        self._calls.clear()
        self._on_lost(self)

    def _calls_of(self, run: _Run) -> list[int]:
        return [call for call, of in self._calls.items() if of is run]

    def _let_go(self, run: _Run) -> None:
        for call in self._calls_of(run):
            self.call_ended(call, _TERMINATED)
        run.runner = None

    def _post(self, head: Head, body: bytes) -> None:
        if self.link is not None and self.alive:
            self.link.send(head, body)

    def _new_id(self) -> int:
        self._ids += 1
        return self._ids


class Interpreters:
    """All of one cluster."""

    def __init__(self, connect: Connect = own_process) -> None:
        self._connect = connect
        self._helpers: list[Helper] = []
        self._losses: deque[float] = deque(maxlen=16)
        self._closed = False
        self._ending: set[Helper] = set()

    @property
    def helpers(self) -> list[Helper]:
        """Those that run now."""
        return list(self._helpers)

    async def calm_down(self, fs: Filesystem) -> None:
        """Wait ahead of `take` if that would start another after many were lost lately."""
        if self._choose(fs) is not None:
            return
        now = asyncio.get_running_loop().time()
        recent = sum(moment > now - 60 for moment in self._losses)
        if recent > _FREE_LOSSES:
            await asyncio.sleep(min(0.5 * 2 ** (recent - _FREE_LOSSES - 1), _LONGEST_WAIT))

    async def take(self, fs: Filesystem) -> Helper:
        """Return an interpreter for a container's shell; `release` it afterwards. Lost."""
        helper = self._choose(fs) or self._begin()
        helper.users[fs] = helper.users.get(fs, 0) + 1
        if helper.idle is not None:
            helper.idle.cancel()
            helper.idle = None
        try:
            # Who asked first may leave meanwhile: the start goes on, for the next one.
            await asyncio.shield(helper.started)
        except BaseException:
            self.release(helper, fs)
            raise
        if helper not in self._helpers:
            self.release(helper, fs)
            raise Lost
        return helper

    def release(self, helper: Helper, fs: Filesystem) -> None:
        left = helper.users.get(fs, 0) - 1
        if left > 0:
            helper.users[fs] = left
            return
        helper.users.pop(fs, None)
        if helper.users or not helper.alive or self._closed:
            return
        if helper.worn:
            self._end(helper)
        else:
            loop = asyncio.get_running_loop()
            helper.idle = loop.call_later(KEPT, self._end, helper)

    async def close(self) -> None:
        """End all, and wait for it."""
        self._closed = True
        for helper in list(self._helpers):
            self._end(helper)
        ending = list(self._ending)
        await asyncio.gather(*(helper.started for helper in ending), return_exceptions=True)
        for helper in ending:
            if helper.link is not None:
                await helper.link.settle()

    def _choose(self, fs: Filesystem) -> Helper | None:
        """Return the one that has the container already, an idle one, or the least used."""
        for helper in self._helpers:
            if fs in helper.users:
                return helper
        fresh = [helper for helper in self._helpers if not helper.worn] or self._helpers
        least = min(fresh, key=lambda helper: len(helper.users), default=None)
        if least is None or not least.users or len(self._helpers) >= MAX_HELPERS:
            return least
        return None

    def _begin(self) -> Helper:
        """Return a new one, which starts from now on."""
        if self._closed:
            raise Lost
        helper = Helper(self._lost)
        self._helpers.append(helper)
        helper.started = asyncio.get_running_loop().create_task(self._start(helper))
        return helper

    async def _start(self, helper: Helper) -> None:
        try:
            helper.link = await self._connect(helper.receive, helper.lost)
        except OSError as error:
            log.warning("no interpreter for shells could be started: %s", error)
        finally:
            if helper.link is None:
                helper.lost()
        if helper not in self._helpers:  # it was to end meanwhile
            helper.end()

    def _end(self, helper: Helper) -> None:
        self._forget(helper)
        self._ending.add(helper)
        helper.end()

    def _lost(self, helper: Helper) -> None:
        if helper in self._helpers:
            self._losses.append(asyncio.get_running_loop().time())
            log.info("an interpreter of shells has ended before its time")
        self._forget(helper)
        if not self._closed:
            self._ending.discard(helper)

    def _forget(self, helper: Helper) -> None:
        if helper in self._helpers:
            self._helpers.remove(helper)
        if helper.idle is not None:
            helper.idle.cancel()
            helper.idle = None
