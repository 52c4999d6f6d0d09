"""The interpreters of one process: shells, their runs, and copies of the trees that they see.

Everything comes as a message and leaves as one; docs/adr/0005 has the table. Before anything that
the other side can see (output, a command of its own, the end of a run) it is told which files the
script has changed, so both always act on the same files.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from bashkit import Bash, BashError, ExecutionProfile

from nodes.runtime.simulated.shell.copies import Copy
from nodes.runtime.simulated.shell.outputs import Output
from nodes.runtime.simulated.shell.wire import Head, Send

# About 50 ms of an endless loop; a script for people needs a hundredth of it.
MAX_COMMANDS = 20_000
# Of a script that waits (pace.py): in a year of nothing else it does not come to so many.
_ENDLESS = 4_000_000_000
# Commands outside that may be under way; the rest fail as fork does when a process limit is met.
MAX_CALLS = 200
# Linux' ARG_MAX: arguments and environment of one command.
MAX_ARGUMENTS = 2 * 1024 * 1024
# Runs may wait (sleep) for long; this only says that nothing runs for ever.
_LONGEST = 30 * 86400.0
# Ahead of output files are compared at most this often: it costs up to 20 ms where there are many.
_TELL_AGAIN = 0.1


class _Shell:
    """One interpreter, with the trees that it may change."""

    def __init__(self, bash: Bash, writable: list[int], *, endless: bool) -> None:
        self.bash = bash
        self.writable = writable
        self.endless = endless
        self.output: Output | None = None
        self.told = 0.0


class Host:
    """Keeps the protocol.

    linger: seconds that output may wait for more of it; on_run: called ahead of each run, and again
    and again in one without an end; memory: says how many bytes the process holds.
    """

    def __init__(
        self,
        send: Send,
        linger: float = 0.0,
        on_run: Callable[[], None] = lambda: None,
        memory: Callable[[], int] = lambda: 0,
    ) -> None:
        self._send = send
        self._linger = linger
        self._on_run = on_run
        self._memory = memory
        self._loop = asyncio.get_running_loop()
        self._copies: dict[int, Copy] = {}
        self._shells: dict[int, _Shell] = {}
        self._outputs: dict[int, Output] = {}
        self._calls: dict[int, tuple[Any, asyncio.Future[int]]] = {}
        self._last_call = 0
        self._failure = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._does: dict[str, Callable[[Head, bytes], None]] = {
            "files": self._files,
            "forget": self._forget,
            "shell": self._shell,
            "run": self._run,
            "cancel": self._cancel,
            "renew": self._renew,
            "drop": self._drop,
            "parses": self._parses,
            "state": self._state,
            "ack": self._ack,
            "read": self._read,
            "write": self._write,
            "done": self._done,
        }

    def receive(self, head: Head, body: bytes) -> None:
        """Do what a message asks for. What fails is told with the next run; other shells go on."""
        try:
            self._does[head["op"]](head, body)
        except Exception as error:
            self._failure = f"{head['op']}: {error!r}"

    async def settle(self) -> None:
        """End what runs at its next command, and wait for it."""
        for shell in self._shells.values():
            shell.bash.cancel()
        for _, ended in self._calls.values():
            if not ended.done():
                ended.set_result(143)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- trees -----------------------------------------------------------------------------------

    def _files(self, head: Head, body: bytes) -> None:
        copy = self._copies.get(head["tree"])
        if copy is None:
            copy = self._copies[head["tree"]] = Copy(devices=head["devices"])
        copy.put(head["files"], head["directories"], head["gone"], body)

    def _forget(self, head: Head, body: bytes) -> None:
        self._copies.pop(head["tree"], None)

    def _tell_now_and_then(self, shell: _Shell) -> None:
        if time.monotonic() - shell.told > _TELL_AGAIN:
            self._tell_changes(shell)

    def _tell_changes(self, shell: _Shell) -> None:
        shell.told = time.monotonic()
        for number in shell.writable:
            copy = self._copies.get(number)
            changed = copy.changes() if copy is not None else None
            if changed is not None:
                head = {
                    "op": "files",
                    "tree": number,
                    "files": changed.files,
                    "directories": changed.directories,
                    "gone": changed.gone,
                }
                self._send(head, changed.body)

    # -- shells ----------------------------------------------------------------------------------

    def _shell(self, head: Head, body: bytes) -> None:
        limits: dict[str, Any] = {
            "max_commands": MAX_COMMANDS,
            "profile": ExecutionProfile.Standard,
        }
        if head["endless"]:
            # The other profile counts commands of all runs together, and stops at 100,000.
            limits = {
                "max_commands": _ENDLESS,
                "max_loop_iterations": _ENDLESS,
                "profile": ExecutionProfile.Interactive,
            }
        bash = Bash(
            username=head["user"],
            hostname=head["host"],
            cwd=head["cwd"],
            env=head["env"],
            **limits,
            timeout_seconds=_LONGEST,
            python=head["python"],
            readonly_filesystem=head["readonly"],
        )
        writable = [tree for _, tree, readonly in head["trees"] if not readonly]
        self._shells[head["shell"]] = _Shell(bash, writable, endless=head["endless"])
        for name in head["commands"]:
            bash.add_command(name, self._command(head["shell"]))
        if body:
            bash.restore_snapshot(body)
        for path, tree, readonly in head["trees"]:
            bash.mount(path, self._copies[tree].files, read_only=readonly)

    def _drop(self, head: Head, body: bytes) -> None:
        shell = self._shells.pop(head["shell"], None)
        if shell is not None:
            shell.bash.cancel()

    def _cancel(self, head: Head, body: bytes) -> None:
        if shell := self._shells.get(head["shell"]):
            shell.bash.cancel()

    def _renew(self, head: Head, body: bytes) -> None:
        if shell := self._shells.get(head["shell"]):
            shell.bash.clear_cancel()

    def _parses(self, head: Head, body: bytes) -> None:
        shell = self._shells.get(head["shell"])
        whole = shell is None or parses(shell.bash, body.decode())
        self._send({"op": "answer", "question": head["question"], "yes": whole}, b"")

    def _state(self, head: Head, body: bytes) -> None:
        shell = self._shells.get(head["shell"])
        state = shell.bash.snapshot(exclude_filesystem=True) if shell is not None else b""
        self._send({"op": "answer", "question": head["question"], "yes": True}, state)

    # -- runs ------------------------------------------------------------------------------------

    def _run(self, head: Head, body: bytes) -> None:
        self._on_run()
        shell = self._shells.get(head["shell"])
        if shell is None:  # it could not be made
            error = f"not made: {self._failure}"
            self._send_end(head["run"], 126, error, "/")
            return
        self._spawn(self._execute(head["run"], shell, body.decode()))

    async def _execute(self, number: int, shell: _Shell, script: str) -> None:
        output = Output(number, self._send, self._linger, lambda: self._tell_now_and_then(shell))
        shell.output = self._outputs[number] = output
        code, error = 1, ""
        try:
            result = await shell.bash.execute(script, stdout=output.out, stderr=output.err)
            code, error = int(result.exit_code), result.error or ""
        except (BashError, RuntimeError) as failure:
            error = str(failure)
        finally:
            output.end()
            self._outputs.pop(number, None)
            self._tell_changes(shell)
            self._send_end(number, code, error[:4096], shell.bash.shell_state().cwd)

    def _send_end(self, run: int, code: int, error: str, cwd: str) -> None:
        end = {"op": "ended", "run": run, "code": code, "error": error, "cwd": cwd}
        self._send({**end, "memory": self._memory()}, b"")

    def _ack(self, head: Head, body: bytes) -> None:
        if output := self._outputs.get(head["run"]):
            output.taken(head["size"])

    # -- commands of the other side --------------------------------------------------------------

    def _command(self, number: int) -> Callable[[Any], Coroutine[Any, Any, int]]:
        # By number: an interpreter that its own command refers to would never be freed.
        async def command(context: Any) -> int:
            shell = self._shells.get(number)
            output = shell.output if shell is not None else None
            sizes = (len(key) + len(text) for key, text in context.env.items())
            if sum(sizes) + sum(map(len, context.argv)) > MAX_ARGUMENTS:
                await context.stderr.write(f"sh: {context.name}: Argument list too long\n".encode())
                return 126
            if shell is None or output is None or len(self._calls) >= MAX_CALLS:
                await context.stderr.write(b"sh: can't fork: Resource temporarily unavailable\n")
                return 2
            output.flush()
            self._tell_changes(shell)
            code = await self._call(output.run, context)
            if shell.endless:
                self._on_run()
            return code

        return command

    async def _call(self, run: int, context: Any) -> int:
        self._last_call += 1
        number = self._last_call
        ended: asyncio.Future[int] = self._loop.create_future()
        self._calls[number] = (context, ended)
        head = {
            "op": "call",
            "call": number,
            "run": run,
            "name": context.name,
            "argv": list(context.argv),
            "env": dict(context.env),
            "cwd": context.cwd,
        }
        self._send(head, b"")
        try:
            return await ended
        except asyncio.CancelledError:
            self._send({"op": "abort", "call": number}, b"")
            raise
        finally:
            del self._calls[number]

    def _read(self, head: Head, body: bytes) -> None:
        if head["call"] in self._calls:
            self._spawn(self._read_chunk(head["call"]))

    async def _read_chunk(self, number: int) -> None:
        context, _ = self._calls[number]
        try:
            chunk = await context.stdin.read_chunk()
        except RuntimeError:  # the run is over
            chunk = None
        self._send({"op": "chunk", "call": number, "end": chunk is None}, chunk or b"")

    def _write(self, head: Head, body: bytes) -> None:
        if head["call"] in self._calls:
            self._spawn(self._write_data(head["call"], head["stream"], body))

    async def _write_data(self, number: int, stream: int, data: bytes) -> None:
        context, _ = self._calls[number]
        broken = False
        try:
            await (context.stdout if stream == 1 else context.stderr).write(data)
        except (BrokenPipeError, RuntimeError):
            broken = True
        self._send({"op": "wrote", "call": number, "broken": broken}, b"")

    def _done(self, head: Head, body: bytes) -> None:
        _, ended = self._calls.get(head["call"], (None, None))
        if ended is not None and not ended.done():
            ended.set_result(head["code"])

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._loop.call_exception_handler({"message": "a run failed", "exception": error})


def parses(bash: Bash, script: str) -> bool:
    """Whether the interpreter can read all of a script, as far as it goes."""
    try:
        bash.analyze(script)
    except BashError as error:
        return not any(words in str(error) for words in ("unexpected EOF", "unexpected end"))
    return True
