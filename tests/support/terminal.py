"""A command at a terminal: typed to and read through a pty, as by a person."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager


class Terminal:
    """What is on the screen, and the keyboard."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process, self._screen = process, screen
        self.said = ""

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, pattern: str, within: float = 20.0) -> re.Match[str]:
        """Return the first match in what has come since the last one."""
        end = time.monotonic() + within
        while True:
            if found := re.search(pattern, self.said, re.MULTILINE):
                self.said = self.said[found.end() :]
                return found
            readable, _, _ = select.select([self._screen], [], [], max(end - time.monotonic(), 0))
            assert readable, f"{pattern!r} did not come within {within} s; the screen:\n{self.said}"
            chunk = self._read()
            assert chunk, f"ended before {pattern!r}; the screen:\n{self.said}"
            self.said += chunk

    def _read(self) -> str:
        try:
            return os.read(self._screen, 65536).decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # the other side of a pty is closed
            return ""

    def ended(self, within: float = 20.0) -> int:
        """Wait for its end; return its exit code."""
        end = time.monotonic() + within
        while self.process.poll() is None and time.monotonic() < end:
            readable, _, _ = select.select([self._screen], [], [], 0.1)
            if readable:
                self.said += self._read()
        return self.process.wait(max(end - time.monotonic(), 0.1))


@contextmanager
def at_terminal(command: Sequence[str], env: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a command at a terminal of 80 columns and 24 rows."""
    screen, inside = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        list(command),
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env={**env, "TERM": "xterm"},
        start_new_session=True,
        # Only the terminal that controls a session tells of a new size.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    os.close(inside)
    try:
        yield Terminal(process, screen)
    finally:
        process.kill()
        process.wait(10)
        os.close(screen)
