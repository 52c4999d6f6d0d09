"""A command of the userland as a process: a wait, a loop with a pause, a script, or a shell."""

from __future__ import annotations

import re
import shlex

from nodes.runtime.simulated.image import DEBIAN
from nodes.runtime.simulated.process import SIGINT, Process
from nodes.runtime.simulated.shell.bash import Exhausted, Shell
from nodes.runtime.simulated.shell.helpers import Lost
from nodes.runtime.simulated.shell.interactive import interact
from nodes.runtime.simulated.shell.pace import Pace, waits
from nodes.runtime.simulated.shell.plan import (
    FromFile,
    Interactive,
    Loop,
    Plan,
    Script,
    Wait,
    plan,
    plan_text,
)
from nodes.runtime.simulated.shell.setup import feed_stdin, make_shell

# A loop may turn this often; `while sleep 0.01` is a load generator, not a clock.
SHORTEST_PAUSE = 0.2
_TRAP = re.compile(
    r"\btrap\s+(?P<quote>['\"])(?P<action>.{0,2000}?)(?P=quote)\s+(?P<signals>[A-Z0-9 ]+)",
    re.DOTALL,
)
# As much of a script is searched for traps; the pattern looks ahead from each one.
_SCANNED = 16 * 1024
_EXIT = re.compile(r"\bexit\s*(\d*)")


class ScriptProgram:
    """Keeps process.Program for everything that a shell would run."""

    __slots__ = ("_argv", "_leaving", "_losses", "_name", "_plan", "_shell", "_state", "_traps")

    def __init__(self, name: str, argv: tuple[str, ...]) -> None:
        self._name = name
        self._argv = argv
        self._losses = 0
        # A trap says when the script ends, and with which code.
        self._leaving = False
        self._plan: Plan | None = None
        self._shell: Shell | None = None
        self._state: bytes | None = None
        self._traps: dict[int, str] | None = None

    def start(self, process: Process) -> None:
        todo = plan(self._argv)
        if isinstance(todo, FromFile):
            todo = self._read(process, todo)
        self._plan = todo
        text = todo.text if isinstance(todo, Script) else ""
        if "trap" in text:
            self._traps = _find_traps(text)
        if isinstance(todo, Interactive):
            self._start_interactive(process, todo)
        elif isinstance(todo, Wait) and not todo.before:
            process.later(todo.seconds, process.exit, 0)
        elif isinstance(todo, Loop) and todo.pause_first and not todo.before:
            process.later(max(todo.seconds, SHORTEST_PAUSE), self._turn, process, todo)
        else:
            process.spawn(self._name, self._main(process, todo))

    def signal(self, process: Process, number: int) -> None:
        """Run the trap for it; otherwise die of it, unless this is PID 1."""
        action = (self._traps or {}).get(number)
        if action is not None:
            process.spawn("trap", self._trap(process, action))
        elif process.pid != 1 or (process.tty and number == SIGINT):
            self._cancel()
            process.exit(128 + number)
        else:
            # A program that the script has exec'ed into is PID 1 itself.
            self._signal_child(process, number)

    # -- plans -----------------------------------------------------------------------------------

    def _start_interactive(self, process: Process, todo: Interactive) -> None:
        if process.stdin is None:
            process.exit(0)  # its input is at its end
            return
        name = "bash" if process.world.userland == DEBIAN else "sh"
        process.spawn(name, self._interactive(process, name))

    async def _interactive(self, process: Process, name: str) -> None:
        process.exit(await interact(process, name))

    async def _main(self, process: Process, todo: Plan) -> None:
        if isinstance(todo, Script):
            code = await self._script(process, todo.text)
            if not self._leaving:
                process.exit(code)
        elif isinstance(todo, Wait):
            await self._script(process, todo.before)
            process.later(todo.seconds, process.exit, 0)
        elif isinstance(todo, Loop):
            if todo.before:
                await self._script(process, todo.before, keep=True)
            if todo.pause_first:
                process.later(max(todo.seconds, SHORTEST_PAUSE), self._turn, process, todo)
            else:
                await self._loop_once(process, todo)

    def _turn(self, process: Process, todo: Loop) -> None:
        process.spawn(self._name, self._loop_once(process, todo))

    async def _loop_once(self, process: Process, todo: Loop) -> None:
        if todo.body:
            await self._script(process, todo.body, keep=True)
        process.later(max(todo.seconds, SHORTEST_PAUSE), self._turn, process, todo)

    async def _script(self, process: Process, text: str, *, keep: bool = False) -> int:
        """Run a text. keep: remember the variables for the next run, and let go of the rest."""
        pace = Pace(process.clock) if waits(text, process.world.programs) else None
        shell = self._shell = make_shell(process, self._name, state=self._state, pace=pace)
        try:
            code = await shell.run(feed_stdin(process, text))
            if keep:
                self._state = await shell.state()
        except Exhausted:
            return await self._endless(process)
        except Lost:
            return self._killed(process, again=keep)
        else:
            self._losses = 0
            return code
        finally:
            if self._shell is shell:
                self._shell = None
            shell.close()

    def _killed(self, process: Process, *, again: bool) -> int:
        """The interpreter broke. A loop gets a second try: it may have been another's script."""
        self._losses += 1
        if not self._leaving and (not again or self._losses > 1):
            process.complain("Killed")
            process.exit(137)
        return 137

    async def _endless(self, process: Process) -> int:
        """Go on as a busy loop does, without being one. A process of an exec is killed."""
        if process.pid != 1:
            process.complain("Killed")
            return 137
        process.world.meter.spin(process.clock.seconds(), 1.0)
        await process.clock.sleep(100 * 365 * 86400.0)
        return 0

    def _read(self, process: Process, todo: FromFile) -> Plan:
        path = todo.path if todo.path.startswith("/") else f"{process.cwd}/{todo.path}"
        data = process.fs.read(path)
        if data is None:
            process.complain(f"{self._name}: can't open '{todo.path}': No such file or directory")
            return Script("exit 2")
        text = data.decode("utf-8", "replace")
        flags = "".join(letter for letter in "eux" if letter in todo.options)
        head = f"set -{flags}\n" if flags else ""
        if todo.args:
            return Script(f"{head}set -- {shlex.join(todo.args)}\n{text}")
        return Script(head + text) if head else plan_text(text)

    # -- signals ---------------------------------------------------------------------------------

    async def _trap(self, process: Process, action: str) -> None:
        leaves = _EXIT.search(action)
        if leaves:
            self._leaving = True
            self._cancel()
        code = await self._script(process, action) if action else 0
        if leaves:
            process.exit(int(leaves[1]) if leaves[1] else code)

    def _cancel(self) -> None:
        if self._shell is not None:
            self._shell.cancel()

    def _signal_child(self, process: Process, number: int) -> None:
        text = self._plan.text if isinstance(self._plan, Script) else ""
        for child in list(process.world.processes.values()):
            name = child.argv[0].rpartition("/")[2]
            if child is not process and re.search(rf"\bexec\s+(\S*/)?{re.escape(name)}\b", text):
                child.signal(number)


def _find_traps(text: str) -> dict[int, str]:
    found: dict[int, str] = {}
    numbers = {"TERM": 15, "INT": 2, "HUP": 1, "QUIT": 3, "15": 15, "2": 2, "1": 1}
    for match in _TRAP.finditer(text[:_SCANNED]):
        for signal in match["signals"].split():
            number = numbers.get(signal.removeprefix("SIG"))
            if number:
                found[number] = match["action"]
    return found
