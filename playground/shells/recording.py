"""A recording of a terminal, in the form of asciicast v2: a header and one JSON line an event."""

from __future__ import annotations

import codecs
from collections.abc import Callable

import orjson

# Some hours of ordinary work; what is longer is cut off, and says so.
LARGEST = 8 << 20


class Recording:
    """Writes down what is printed and how the size changes, with the time of each."""

    def __init__(self, rows: int, columns: int, title: str, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        header = {"version": 2, "width": columns, "height": rows, "title": title}
        header["env"] = {"TERM": "xterm-256color", "SHELL": "/bin/bash"}
        self._lines = [orjson.dumps(header)]
        self._size = len(self._lines[0])
        self.running = True
        self.full = False

    def output(self, data: bytes) -> None:
        """Take what was printed; a character that is cut in two waits for its other half."""
        if text := self._decode(data):
            self._add("o", text)

    def resized(self, rows: int, columns: int) -> None:
        """Take a new size."""
        self._add("r", f"{columns}x{rows}")

    def stop(self) -> None:
        """End the recording; it stays as it is."""
        self.running = False

    def text(self) -> bytes:
        """Return the file."""
        return b"\n".join(self._lines) + b"\n"

    def _add(self, code: str, data: str) -> None:
        if not self.running:
            return
        line = orjson.dumps([round(self._clock() - self._began, 6), code, data])
        if self._size + len(line) > LARGEST:
            self.full, self.running = True, False
            return
        self._lines.append(line)
        self._size += len(line) + 1
