"""The shell that a person talks to: a prompt, a line, its run; with a terminal or without."""

from __future__ import annotations

import asyncio
import re

from nodes.runtime.simulated.process import Process
from nodes.runtime.simulated.shell.bash import Exhausted, Shell
from nodes.runtime.simulated.shell.call import Call
from nodes.runtime.simulated.shell.helpers import Lost
from nodes.runtime.simulated.shell.pace import Pace, waits
from nodes.runtime.simulated.shell.setup import make_shell
from nodes.runtime.simulated.shell.terminal import EndOfInput, Interrupted, LineReader, Terminal
from nodes.runtime.simulated.shell.whole import stands_alone

_EXIT = re.compile(r"^\s*(?:exit|logout)\s*(\d*)\s*;?\s*$")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
_LONGEST_COMMAND = 64 * 1024
# Stands behind each command: the shell ends with one that does not get there.
_GOES_ON = "__goes_on"


async def interact(process: Process, name: str) -> int:
    """Serve one shell session until its input ends; return the exit code."""
    assert process.stdin is not None  # noqa: S101 - the caller has looked
    source = Terminal(process) if process.tty else LineReader(process.stdin)
    session = _Session(process, name, source)
    try:
        return await session.run()
    except Lost:
        # The interpreter is gone, and the session's variables with it.
        process.complain("Killed")
        return 137
    finally:
        session.close()


class _Session:
    def __init__(self, process: Process, name: str, source: Terminal | LineReader) -> None:
        self._process = process
        self._name = name
        self._pace = Pace(process.clock)
        self._paced = False
        self._shell = self._make(None)
        self._source = source
        self._code = 0
        self._went_through = self._over = False

    def close(self) -> None:
        self._shell.close()

    def _make(self, state: bytes | None) -> Shell:
        own, pace = {_GOES_ON: self._goes_on}, self._pace if self._paced else None
        return make_shell(self._process, self._name, state=state, more=own, pace=pace)

    async def _choose(self, command: str) -> None:
        """Have an interpreter that lets a command go on for ever, if that is what it is for."""
        paced = waits(command, self._process.world.programs)
        if paced == self._paced:
            return
        state, cwd = await self._shell.state(), self._shell.cwd
        self._shell.close()
        self._paced = paced
        self._shell = self._make(state)
        self._shell.cwd = cwd

    async def run(self) -> int:
        while not self._over:
            try:
                command = await self._command()
            except EndOfInput:
                if self._process.tty:
                    self._process.out.put(1, b"exit\r\n" if self._name == "bash" else b"\r\n")
                return self._code
            except Interrupted:
                self._code = 130
                continue
            leaves = _EXIT.match(command)
            if leaves:
                return int(leaves[1]) & 0xFF if leaves[1] else self._code
            if command.strip():
                self._code = await self._run(command)
        return self._code

    async def _command(self) -> str:
        """Read lines until they are a whole command."""
        command = await self._source.line(self._prompt())
        while not await self._is_whole(command) and len(command) < _LONGEST_COMMAND:
            try:
                command += "\n" + await self._source.line("> ")
            except EndOfInput:
                break
        return command

    async def _is_whole(self, command: str) -> bool:
        if command.endswith("\\") and not command.endswith("\\\\"):
            return False
        document = _HEREDOC.search(command)
        if document and not re.search(rf"^[ \t]*{document[2]}$", command, re.MULTILINE):
            return False
        return stands_alone(command) or await self._shell.parses(command)

    async def _run(self, command: str) -> int:
        # Each run starts with $? at 0: what the last one gave is handed on.
        script = f"(exit {self._code})\n{command}" if self._code and "$?" in command else command
        script = f"{script}\n{_GOES_ON} $?"
        self._went_through = False
        await self._choose(command)
        running = asyncio.ensure_future(self._shell.run(script))
        try:
            await self._source.watch(running, self._shell.cancel)
            code = await running
            self._over = self._shell.ran and not self._went_through
        except Exhausted:
            self._process.complain("Killed")
            return 137
        except Interrupted:
            await asyncio.wait([running])
            self._shell.renew()
            return 130
        else:
            return code
        finally:
            running.cancel()

    async def _goes_on(self, call: Call) -> int:
        """The command came to its end, and not to an `exit`."""
        self._went_through = True
        return int(call.args[0])

    def _prompt(self) -> str:
        cwd = self._shell.cwd
        home = self._process.env.get("HOME", "/root")
        uid = self._process.world.user[0]
        mark = "#" if uid == 0 else "$"
        if self._name == "bash":
            user = "root" if uid == 0 else "I have no name!"
            place = "~" if cwd == home else cwd
            return f"{user}@{self._process.net.hostname}:{place}{mark} "
        return f"{'~' if cwd == home else cwd} {mark} "
