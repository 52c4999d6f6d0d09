"""A tree of files in memory: an image's files with the changes on top, or a volume.

The files below (`lower`) are shared by all containers of an image and never change. Until a shell
needs the tree it is a small dict of changes; from then on a file system of the shell's interpreter
holds it, and both the shell and everyone here read and write that one. Paths are relative, without
a slash in front; "" is the root.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bashkit import FileSystem

# A tree may hold this much; a shell that has written more loses its largest files again.
MAX_BYTES = 32 * 1024 * 1024
MAX_FILES = 4000
_DEEPEST = 32
# The interpreter shows its devices as files.
_DEVICES = frozenset(f"dev/{name}" for name in ("null", "zero", "random", "urandom", "fd"))


class File(NamedTuple):
    """The content of a file and its permission bits."""

    data: bytes
    mode: int = 0o644


class NoSpace(OSError):
    """The tree is full."""


Files = Mapping[str, File]
_EMPTY: Files = {}


class Volume:
    """One tree."""

    __slots__ = ("_dirs", "_live", "_lower", "_readers", "_upper")

    def __init__(self, lower: Files = _EMPTY) -> None:
        self._lower = lower
        self._upper: dict[str, File | None] | None = None
        self._dirs: set[str] | None = None
        self._live: FileSystem | None = None
        self._readers: FileSystem | None = None

    # -- reading ---------------------------------------------------------------------------------

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None where there is no file."""
        if self._live is not None:
            return _read(self._live, path)
        file = self._file(path)
        return None if file is None else file.data

    def mode(self, path: str) -> int:
        """Return a file's permission bits, 0 where there is none."""
        if self._live is not None:
            full = f"/{path}"
            return int(self._live.stat(full)["mode"]) & 0o7777 if self._live.exists(full) else 0
        file = self._file(path)
        return 0 if file is None else file.mode

    def is_dir(self, path: str) -> bool:
        if not path:
            return True
        if self._live is not None:
            full = f"/{path}"
            return self._live.exists(full) and _is_dir(self._live, full)
        if self._dirs is not None and path in self._dirs:
            return True
        prefix = f"{path}/"
        return any(name.startswith(prefix) for name in self._names())

    def exists(self, path: str) -> bool:
        if self._live is not None:
            return self._live.exists(f"/{path}")
        return self._file(path) is not None or self.is_dir(path)

    def names(self, path: str) -> list[str]:
        """Return the names in a directory, in order; directories end in a slash."""
        if self._live is not None:
            full = f"/{path}"
            if not self.is_dir(path):
                return []
            return sorted(
                entry["name"] + ("/" if entry["metadata"]["file_type"] == "directory" else "")
                for entry in self._live.read_dir(full)
            )
        prefix = f"{path}/" if path else ""
        found = set()
        for name in self._names():
            if name.startswith(prefix):
                head, slash, _ = name[len(prefix) :].partition("/")
                found.add(head + slash)
        for name in self._dirs or ():
            if name.startswith(prefix):
                found.add(name[len(prefix) :].partition("/")[0] + "/")
        return sorted(found)

    def walk(self) -> Iterator[tuple[str, File]]:
        """Yield all files with their paths."""
        if self._live is not None:
            yield from _walk(self._live, "", 0)
            return
        for name in list(self._names()):
            file = self._file(name)
            if file is not None:
                yield name, file

    def used_bytes(self) -> int:
        """Return what has been written on top of the image."""
        if self._live is None:
            return sum(len(file.data) for file in (self._upper or {}).values() if file)
        written = sum(size for _, size in _sizes(self._live, "", 0))
        return max(0, written - sum(len(file.data) for file in self._lower.values()))

    # -- writing ---------------------------------------------------------------------------------

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write a file; its directories are made. NoSpace when the tree is full."""
        if len(data) > MAX_BYTES:
            raise NoSpace("No space left on device")
        if self._readers is not None:
            _put(self._readers, path, data, mode)
        if self._live is not None:
            _put(self._live, path, data, mode)
            return
        upper = self._upper = {} if self._upper is None else self._upper
        if path not in upper and len(upper) >= MAX_FILES:
            raise NoSpace("No space left on device")
        upper[path] = File(data, mode)

    def append(self, path: str, data: bytes) -> None:
        """Add to a file's end."""
        self.write(path, (self.read(path) or b"") + data, self.mode(path) or 0o644)

    def mkdir(self, path: str) -> None:
        if not path:
            return
        for live in filter(None, (self._live, self._readers)):
            if not live.exists(f"/{path}"):
                live.mkdir(f"/{path}", recursive=True)
        if self._live is None:
            self._dirs = {path} if self._dirs is None else self._dirs | {path}

    def remove(self, path: str) -> None:
        """Remove a file, or a directory with all in it; fine if there is none."""
        for live in filter(None, (self._live, self._readers)):
            if path and live.exists(f"/{path}"):
                live.remove(f"/{path}", recursive=True)
            elif not path:
                for entry in live.read_dir("/"):
                    live.remove(f"/{entry['name']}", recursive=True)
        if self._live is not None:
            return
        prefix = f"{path}/" if path else ""
        upper = {} if self._upper is None else self._upper
        for name in list(self._names()):
            if name == path or name.startswith(prefix):
                if name in self._lower:
                    upper[name] = None
                else:
                    upper.pop(name, None)
        self._upper = upper or None
        if self._dirs is not None:
            kept = {name for name in self._dirs if name != path and not name.startswith(prefix)}
            self._dirs = kept or None

    def replace(self, files: Files) -> None:
        """Hold exactly these files."""
        for name, _ in list(self.walk()):
            if name not in files:
                self.remove(name)
        for name, file in files.items():
            if self.read(name) != file.data or self.mode(name) != file.mode:
                self.write(name, file.data, file.mode)

    # -- for shells ------------------------------------------------------------------------------

    def live(self) -> FileSystem:
        """Return the file system that holds the tree from now on."""
        if self._live is None:
            fresh = self._copied()
            for name in self._dirs or ():
                if not fresh.exists(f"/{name}"):
                    fresh.mkdir(f"/{name}", recursive=True)
            self._live, self._upper, self._dirs = fresh, None, None
        return self._live

    def readers(self) -> FileSystem:
        """Return a copy for those who may only read: what they write is gone with the next call."""
        fresh = self._copied()
        if self._readers is None:
            self._readers = fresh
        else:
            truth = dict(_walk(fresh, "", 0))
            for name, file in list(_walk(self._readers, "", 0)):
                if truth.get(name) != file:
                    self._readers.remove(f"/{name}", recursive=True)
            for name, file in truth.items():
                _put(self._readers, name, file.data, file.mode)
        return self._readers

    def trim(self) -> bool:
        """Take the largest files away until the tree keeps its limit. Whether any had to go."""
        if self._live is None:
            return False
        files = [(size, name) for name, size in _sizes(self._live, "", 0)]
        total = sum(size for size, _ in files)
        if total <= MAX_BYTES:
            return False
        for size, name in sorted(files, reverse=True):
            self._live.remove(f"/{name}")
            total -= size
            if total <= MAX_BYTES:
                break
        return True

    def _copied(self) -> FileSystem:
        fresh = FileSystem()
        for entry in fresh.read_dir("/"):
            name = entry["name"]
            # A root needs its devices; a volume has none.
            if not self.is_dir(name) and not (name == "dev" and self._lower):
                fresh.remove(f"/{name}", recursive=True)
        made: set[str] = set()
        for name, file in self.walk():
            _put(fresh, name, file.data, file.mode, made)
        return fresh

    def _file(self, path: str) -> File | None:
        upper = self._upper
        if upper is not None and path in upper:
            return upper[path]
        return self._lower.get(path)

    def _names(self) -> Iterator[str]:
        upper = self._upper or {}
        for name in self._lower:
            if upper.get(name, _KEPT) is not None:
                yield name
        for name, file in upper.items():
            if file is not None and name not in self._lower:
                yield name


_KEPT = File(b"")


def relative(path: str) -> str:
    """Return an absolute path as a tree knows it."""
    return posixpath.normpath(f"/{path}").lstrip("/")


def _put(live: FileSystem, path: str, data: bytes, mode: int, made: set[str] | None = None) -> None:
    directory = path.rpartition("/")[0]
    if directory and (made is None or directory not in made):
        if not live.exists(f"/{directory}"):
            live.mkdir(f"/{directory}", recursive=True)
        if made is not None:
            made.add(directory)
    try:
        live.write_file(f"/{path}", data)
    except RuntimeError as error:
        raise NoSpace(str(error)) from error
    if mode != 0o644:
        live.chmod(f"/{path}", mode)


def _read(live: FileSystem, path: str) -> bytes | None:
    full = f"/{path}"
    if not live.exists(full):
        return None
    try:
        return live.read_file(full)
    except RuntimeError:  # a directory, or a link to nothing
        return None


def _is_dir(live: FileSystem, full: str) -> bool:
    return bool(live.stat(full)["file_type"] == "directory")


def _walk(live: FileSystem, path: str, depth: int) -> Iterator[tuple[str, File]]:
    for name, entry in _entries(live, path, depth):
        data = _read(live, name)
        if data is not None:
            yield name, File(data, int(entry["mode"]) & 0o7777)


def _sizes(live: FileSystem, path: str, depth: int) -> Iterator[tuple[str, int]]:
    for name, entry in _entries(live, path, depth):
        yield name, int(entry["size"])


def _entries(live: FileSystem, path: str, depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the plain files below a path with what is known of them."""
    if depth > _DEEPEST:
        return
    for entry in live.read_dir(f"/{path}"):
        name = f"{path}/{entry['name']}" if path else entry["name"]
        kind = entry["metadata"]["file_type"]
        if kind == "directory":
            yield from _entries(live, name, depth + 1)
        elif kind == "file" and name not in _DEVICES:
            yield name, entry["metadata"]
