"""Making a shell for a process: the userland's commands, and the image's own programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from nodes.runtime.simulated.process import Process, Program
from nodes.runtime.simulated.shell.bash import Handler, Shell
from nodes.runtime.simulated.shell.call import MAX_INPUT, Call, Command
from nodes.runtime.simulated.shell.commands import commands_of
from nodes.runtime.simulated.shell.pace import Pace
from nodes.runtime.simulated.shell.remote import Remote

# Through these commands a script reads what the client of an exec types, and says that it has
# ended: the client may leave its end open for as long as it likes.
_STDIN, _ENDED = "__stdin", "__ended"


def make_shell(
    process: Process,
    name: str = "sh",
    *,
    state: bytes | None = None,
    python: bool = False,
    more: Mapping[str, Command] | None = None,
    pace: Pace | None = None,
) -> Shell:
    """Return an interpreter for one process; `more` are commands for it alone.

    `pace`: what it runs may go on and on, its commands coming at that.
    """
    commands: dict[str, Command] = dict(commands_of(process.world.userland))
    for program, factory in process.world.programs.items():
        commands[program] = _program(factory)
    if python:
        for interpreter in ("python", "python3"):
            commands.pop(interpreter, None)
    source = _Input()
    commands[_STDIN], commands[_ENDED] = source.feed, source.end
    commands.update(more or {})
    handlers = {key: _handler(process, command) for key, command in commands.items()}
    return Shell(process, handlers, name=name, state=state, python=python, pace=pace)


def feed_stdin(process: Process, script: str) -> str:
    """Return the script with the process' own input on its stdin, if it has any."""
    if process.stdin is None or process.tty:
        return script
    return f"{_STDIN} | {{ (\n{script}\n)\n{_ENDED} $?; }}"


def _handler(process: Process, command: Command) -> Handler:
    async def handler(shell: Shell, remote: Remote) -> int:
        call = Call(remote.name, remote.argv, remote.env, remote.cwd, process, shell, remote)
        return await command(call) & 0xFF

    return handler


def _program(factory: Callable[[], Program]) -> Command:
    async def command(call: Call) -> int:
        return await call.run_program(factory())

    return command


class _Input:
    """The process' own input, on its way into a script."""

    def __init__(self) -> None:
        self._feeding: asyncio.Task[Any] | None = None
        self._over = False

    async def feed(self, call: Call) -> int:
        """Hand the input on, until it or the script ends."""
        self._feeding = asyncio.current_task()
        stdin = call.process.stdin
        left = MAX_INPUT
        while not self._over and stdin is not None and left > 0:
            if not (chunk := await stdin.read()):
                break
            left -= len(chunk)
            await call.out(chunk)
        return 0

    async def end(self, call: Call) -> int:
        """Stop feeding; the argument is the exit code of the script."""
        self._over = True
        if self._feeding is not None:
            self._feeding.cancel()
        return int(call.args[0])
