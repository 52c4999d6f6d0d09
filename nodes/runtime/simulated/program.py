"""The two kinds of programs: one that runs from a start to an end, and a server that only reacts.

A server has no task while nobody talks to it, so thousands of idle ones cost nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from nodes.runtime.simulated.logs import LogRing
from nodes.runtime.simulated.process import SIGINT, SIGQUIT, SIGTERM, Process


class TaskProgram(ABC):
    """A program with a body."""

    @abstractmethod
    async def run(self, process: Process) -> int:
        """Do the work; return the exit code."""

    def start(self, process: Process) -> None:
        process.spawn(process.argv[0], self._main(process))

    def signal(self, process: Process, number: int) -> None:
        """Die of it as any process does, PID 1 excepted."""
        if process.pid != 1:
            process.exit(128 + number)

    async def _main(self, process: Process) -> None:
        process.exit(await self.run(process))


class Server(ABC):
    """A program that listens and reacts. It ends well on TERM, INT and QUIT."""

    @abstractmethod
    def start(self, process: Process) -> None:
        """Listen; print what such a server prints."""

    def signal(self, process: Process, number: int) -> None:
        if number in (SIGTERM, SIGINT, SIGQUIT):
            self.stopping(process)
            process.exit(0)

    def stopping(self, process: Process) -> None:  # noqa: B027 - most print nothing
        """Print what is printed at the end."""


class Logging(Server):
    """A server that brings its container's log along: it may have begun to write it before."""

    log: LogRing
