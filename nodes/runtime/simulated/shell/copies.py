"""A tree of files as an interpreter holds it: a copy, and what a script has changed in it.

Files are compared by time, size and mode, so a look costs a walk through the directories and no
reading; only what has changed is read and handed on.
"""

from __future__ import annotations

import stat
from typing import Any, NamedTuple

from bashkit import FileSystem

MAX_BYTES = 32 * 1024 * 1024
# More than the interpreter's own limit on files.
MAX_ENTRIES = 20_000
_DEEPEST = 32
# The interpreter shows its devices as files.
_DEVICES = frozenset(f"dev/{name}" for name in ("null", "zero", "random", "urandom", "fd"))
_DIRECTORY = "directory"
_KEPT = ("file", "symlink")


# What the interpreter says of a file: file_type, size, mode, modified, created. Kept and compared
# as it is: a look at an image's hundreds of files has to take a fraction of a millisecond.
Entry = dict[str, Any]


class Changed(NamedTuple):
    """Paths with mode and size, whose contents follow each other in `body`; directories; gone."""

    files: list[list[Any]]
    directories: list[str]
    gone: list[str]
    body: bytes


class Copy:
    """One tree."""

    def __init__(self, *, devices: bool) -> None:
        self.files = FileSystem()
        # A root needs its devices; a volume has none.
        for entry in self.files.read_dir("/"):
            if not (devices and entry["name"] == "dev"):
                self.files.remove(f"/{entry['name']}", recursive=True)
        self._known: dict[str, Entry] = {}
        self._known = self._look()

    def put(
        self, files: list[list[Any]], directories: list[str], gone: list[str], body: bytes
    ) -> None:
        """Take over changes from outside."""
        for path in gone:
            self._remove(path)
        for path in directories:
            self._make(path)
        at = 0
        for path, mode, size in files:
            self._write(path, mode, body[at : at + size])
            at += size

    def changes(self) -> Changed | None:
        """Return what has changed since the last time; None if nothing has."""
        now = self._trimmed(self._look())
        before, self._known = self._known, now
        fresh = [path for path, entry in now.items() if before.get(path) != entry]
        gone = [path for path in before if path not in now]
        if not fresh and not gone:
            return None
        files: list[list[Any]] = []
        parts: list[bytes] = []
        directories: list[str] = []
        for path in fresh:
            entry = now[path]
            if entry["file_type"] == _DIRECTORY:
                # What a directory holds is told by its files.
                if path not in before or before[path]["file_type"] != _DIRECTORY:
                    directories.append(path)
                continue
            data = self._content(path, entry)
            if data is not None:
                link = stat.S_IFLNK if entry["file_type"] == "symlink" else 0
                files.append([path, link | (entry["mode"] & 0o7777), len(data)])
                parts.append(data)
        return Changed(files, directories, gone, b"".join(parts))

    # -- inside ----------------------------------------------------------------------------------

    def _content(self, path: str, entry: Entry) -> bytes | None:
        try:
            if entry["file_type"] == "symlink":
                return self.files.read_link(f"/{path}").encode()
            return self.files.read_file(f"/{path}")
        except RuntimeError:  # gone meanwhile: the next look tells
            return None

    def _remove(self, path: str) -> None:
        if path and self._has(path):
            self.files.remove(f"/{path}", recursive=True)
        prefix = f"{path}/"
        for name in [name for name in self._known if name == path or name.startswith(prefix)]:
            del self._known[name]

    def _has(self, path: str) -> bool:
        try:
            self.files.stat(f"/{path}")
        except RuntimeError:
            return False
        return True

    def _make(self, path: str) -> None:
        made = ""
        for part in path.split("/") if path else ():
            made = f"{made}/{part}" if made else part
            if made not in self._known:
                if not self._has(made):
                    self.files.mkdir(f"/{made}")
                self._note(made)

    def _write(self, path: str, mode: int, data: bytes) -> None:
        self._make(path.rpartition("/")[0])
        full = f"/{path}"
        try:
            if stat.S_ISLNK(mode):
                self._remove(path)
                self.files.symlink(data.decode(), full)
            else:
                self.files.write_file(full, data)
                if stat.S_IMODE(mode) != 0o644 or path in self._known:
                    self.files.chmod(full, stat.S_IMODE(mode))
        except (RuntimeError, UnicodeDecodeError):  # no room, or a directory is in its place
            return
        self._note(path)

    def _note(self, path: str) -> None:
        try:
            self._known[path] = self.files.stat(f"/{path}")
        except RuntimeError:
            self._known.pop(path, None)

    def _trimmed(self, now: dict[str, Entry]) -> dict[str, Entry]:
        """Take the largest files away until the tree keeps its limit."""
        total = sum(entry["size"] for entry in now.values())
        if total <= MAX_BYTES:
            return now
        for path in sorted(now, key=lambda path: now[path]["size"], reverse=True):
            if now[path]["file_type"] == "file":
                self.files.remove(f"/{path}")
                total -= now.pop(path)["size"]
            if total <= MAX_BYTES:
                break
        return now

    def _list(self, directory: str) -> list[dict[str, Any]]:
        try:
            return self.files.read_dir(f"/{directory}")
        except RuntimeError:  # a script that runs has just removed it
            return []

    def _look(self) -> dict[str, Entry]:
        """Return all files, links and directories."""
        found: dict[str, Entry] = {}
        stack = [("", 0)]
        while stack and len(found) < MAX_ENTRIES:
            directory, depth = stack.pop()
            prefix = f"{directory}/" if directory else ""
            for entry in self._list(directory):
                path = prefix + entry["name"]
                about = entry["metadata"]
                kind = about["file_type"]
                if kind == _DIRECTORY:
                    if depth < _DEEPEST:
                        stack.append((path, depth + 1))
                elif kind not in _KEPT or path in _DEVICES:
                    continue
                found[path] = about
        return found
