"""The terminal of an interactive session: echo, line editing, history, Ctrl-C and Ctrl-D.

Input comes as the client's keys; nothing is shown by the client itself. A line is edited at its
end and by the arrow keys; history is kept for the session.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nodes.network.stream import ByteStream
from nodes.runtime.cri import STDOUT
from nodes.runtime.simulated.process import Process

MAX_LINE = 8192
MAX_HISTORY = 200
_CTRL_C, _CTRL_D, _CTRL_L, _CTRL_U, _CTRL_W, _CTRL_A, _CTRL_E = "\x03\x04\x0c\x15\x17\x01\x05"


class EndOfInput(Exception):
    """Ctrl-D on an empty line, or the client has gone."""


class Interrupted(Exception):
    """Ctrl-C."""


class LineReader:
    """Input without a terminal: lines, no echo, no prompt."""

    def __init__(self, stdin: ByteStream) -> None:
        self._stdin = stdin
        self._data = b""

    async def line(self, prompt: str) -> str:
        while b"\n" not in self._data and len(self._data) < MAX_LINE * 8:
            chunk = await self._stdin.read()
            if not chunk:
                if not self._data:
                    raise EndOfInput
                break
            self._data += chunk
        line, _, self._data = self._data.partition(b"\n")
        return line.decode("utf-8", "replace")

    async def watch(self, running: asyncio.Future[Any], cancel: Callable[[], None]) -> None:
        """Wait for a command; its input stays for the shell."""
        await asyncio.wait([running])


class Terminal:
    """Input with a terminal."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None  # noqa: S101 - a terminal has input
        self._stdin = process.stdin
        self._out = process.out
        self._settings = process.terminal
        self._keys = ""
        self._partial = b""
        self._text = ""
        self._at = 0
        self._prompt = ""
        self._history: list[str] = []
        self._back = 0

    async def line(self, prompt: str) -> str:
        """Show the prompt; return the line that is typed."""
        self._prompt, self._text, self._at, self._back = prompt, "", 0, 0
        self._out.put(STDOUT, prompt.encode())
        while True:
            key = await self._key()
            if key in "\r\n":
                break
            self._press(key)
        self._show("\r\n")
        if self._text.strip() and self._history[-1:] != [self._text]:
            self._history = [*self._history, self._text][-MAX_HISTORY:]
        return self._text

    async def watch(self, running: asyncio.Future[Any], cancel: Callable[[], None]) -> None:
        """Wait for a command while listening for Ctrl-C; other keys are typed ahead."""
        reading: asyncio.Future[str] | None = None
        keys, typed, self._keys = self._keys, "", ""
        try:
            while not running.done():
                if not keys:
                    reading = asyncio.ensure_future(self._fresh())
                    await asyncio.wait([running, reading], return_when=asyncio.FIRST_COMPLETED)
                    if not reading.done():
                        break
                    keys = reading.result()
                if not keys:
                    cancel()
                    raise Interrupted
                if _CTRL_C in keys:
                    self._show("^C\n")
                    cancel()
                    # What was typed before it is lost, as with a real terminal; not what follows.
                    typed, keys = "", keys.rpartition(_CTRL_C)[2]
                    raise Interrupted
                typed, keys = (typed + keys)[-MAX_LINE:], ""
        finally:
            self._keys = typed + keys
            if reading is not None and not reading.done():
                reading.cancel()

    def _press(self, key: str) -> None:
        if key == _CTRL_C:
            self._show("^C\n")
            raise Interrupted
        if key == _CTRL_D:
            if not self._text:
                raise EndOfInput
            return
        edit = _EDITS.get(key)
        if edit is not None:
            edit(self)
        elif key >= " " and len(self._text) < MAX_LINE and not key.startswith("\x1b"):
            tail = self._text[self._at :]
            self._text = self._text[: self._at] + key + tail
            self._at += 1
            self._show(key + tail + "\b" * len(tail))

    def erase(self) -> None:
        if self._at:
            tail = self._text[self._at :]
            self._text = self._text[: self._at - 1] + tail
            self._at -= 1
            self._show("\b" + tail + " " + "\b" * (len(tail) + 1))

    def erase_line(self) -> None:
        self._replace("")

    def erase_word(self) -> None:
        kept = self._text[: self._at].rstrip()
        kept = kept[: kept.rfind(" ") + 1]
        self._replace(kept + self._text[self._at :])

    def clear(self) -> None:
        self._show("\x1b[H\x1b[2J" + self._prompt + self._text)
        self._at = len(self._text)

    def left(self) -> None:
        if self._at:
            self._at -= 1
            self._show("\b")

    def right(self) -> None:
        if self._at < len(self._text):
            self._show(self._text[self._at])
            self._at += 1

    def home(self) -> None:
        self._show("\b" * self._at)
        self._at = 0

    def end(self) -> None:
        self._show(self._text[self._at :])
        self._at = len(self._text)

    def older(self) -> None:
        if self._back < len(self._history):
            self._back += 1
            self._replace(self._history[-self._back])

    def newer(self) -> None:
        if self._back:
            self._back -= 1
            self._replace(self._history[-self._back] if self._back else "")

    def _replace(self, text: str) -> None:
        self.end()
        self._show("\b \b" * len(self._text) + text)
        self._text, self._at = text, len(text)

    def _show(self, text: str) -> None:
        """Show what is typed, unless `stty -echo` keeps it hidden."""
        if self._settings is None or self._settings.echo:
            self._out.put(STDOUT, text.encode())

    async def _key(self) -> str:
        """Return one character, or one escape sequence."""
        while not self._keys:
            self._keys = await self._fresh()
            if not self._keys:
                raise EndOfInput
        if self._keys.startswith("\x1b["):
            end = 2
            while end < min(len(self._keys) - 1, 8) and self._keys[end] in "0123456789;":
                end += 1
            key, self._keys = self._keys[: end + 1], self._keys[end + 1 :]
            return key
        key, self._keys = self._keys[0], self._keys[1:]
        if key == "\r" and self._keys.startswith("\n"):
            self._keys = self._keys[1:]
        return key

    async def _fresh(self) -> str:
        """Return what has been typed since; "" when the client has gone."""
        data = await self._stdin.read()
        if not data:
            return ""
        return data.decode("utf-8", "replace")


_EDITS: dict[str, Callable[[Terminal], None]] = {
    "\x7f": Terminal.erase,
    "\b": Terminal.erase,
    _CTRL_U: Terminal.erase_line,
    _CTRL_W: Terminal.erase_word,
    _CTRL_L: Terminal.clear,
    _CTRL_A: Terminal.home,
    _CTRL_E: Terminal.end,
    "\x1b[D": Terminal.left,
    "\x1b[C": Terminal.right,
    "\x1b[A": Terminal.older,
    "\x1b[B": Terminal.newer,
    "\x1b[H": Terminal.home,
    "\x1b[F": Terminal.end,
}
