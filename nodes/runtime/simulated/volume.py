"""A tree of files in memory: an image's files with the changes on top, or a volume.

The files below (`lower`) are shared by all containers of an image and never change; the changes are
a small dict. This is the truth: interpreters of shells hold copies, which they keep alike by being
told of every change (`Watcher`) and by handing back what a script has changed (`apply`). Paths are
relative, without a slash in front; "" is the root.
"""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

# A tree may hold this much; a shell that has written more loses its largest files again.
MAX_BYTES = 32 * 1024 * 1024
MAX_FILES = 4000
# As deep as interpreters' own limits go; a path may not be longer than Linux' PATH_MAX.
_MAX_DIRECTORIES = 4000
_LONGEST_PATH = 4096


class File(NamedTuple):
    """The content of a file and its permission bits; of a symbolic link, where it leads."""

    data: bytes
    mode: int = 0o644

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)


class NoSpace(OSError):
    """The tree is full."""


class Watcher(Protocol):
    """Told of each path that changes, before or after; a directory stands for all below."""

    def touched(self, volume: Volume, path: str) -> None: ...


class Changes(NamedTuple):
    """What a script has done to a tree. `gone` names every file, link and directory."""

    files: Mapping[str, File]
    directories: tuple[str, ...]
    gone: tuple[str, ...]


Files = Mapping[str, File]
_EMPTY: Files = {}


class Volume:
    """One tree."""

    __slots__ = ("_dirs", "_lower", "_upper", "_watchers")

    def __init__(self, lower: Files = _EMPTY) -> None:
        self._lower = lower
        self._upper: dict[str, File | None] | None = None
        self._dirs: set[str] | None = None
        self._watchers: tuple[Watcher, ...] = ()

    # -- reading ---------------------------------------------------------------------------------

    @property
    def is_root(self) -> bool:
        """Whether this is the root of an image, which has its devices."""
        return bool(self._lower)

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None where there is no file."""
        file = self._file(path)
        return None if file is None or file.is_link else file.data

    def link(self, path: str) -> str | None:
        """Return where a symbolic link leads, None where there is none."""
        file = self._file(path)
        return file.data.decode("utf-8", "replace") if file is not None and file.is_link else None

    def file(self, path: str) -> File | None:
        """Return a file or a link as it is kept."""
        return self._file(path)

    def mode(self, path: str) -> int:
        """Return a file's permission bits, 0 where there is none."""
        file = self._file(path)
        return 0 if file is None else stat.S_IMODE(file.mode)

    def is_dir(self, path: str) -> bool:
        if not path or (self._dirs is not None and path in self._dirs):
            return True
        prefix = f"{path}/"
        return any(name.startswith(prefix) for name in self._names()) or any(
            name.startswith(prefix) for name in self._dirs or ()
        )

    def exists(self, path: str) -> bool:
        return self._file(path) is not None or self.is_dir(path)

    def names(self, path: str) -> list[str]:
        """Return the names in a directory, in order; directories end in a slash."""
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
        for name, file in self.entries():
            if not file.is_link:
                yield name, file

    def entries(self) -> Iterator[tuple[str, File]]:
        """Yield all files and links with their paths."""
        for name in list(self._names()):
            file = self._file(name)
            if file is not None:
                yield name, file

    def directories(self) -> list[str]:
        """Return the directories that were made, not those that files are in."""
        return sorted(self._dirs or ())

    def all_directories(self) -> set[str]:
        """Return every directory but the root."""
        found: set[str] = set(self._dirs or ())
        for name in [*self._names(), *found]:
            above = posixpath.dirname(name)
            while above and above not in found:
                found.add(above)
                above = posixpath.dirname(above)
        return found

    def used_bytes(self) -> int:
        """Return what has been written on top of the image."""
        return sum(len(file.data) for file in (self._upper or {}).values() if file)

    # -- writing ---------------------------------------------------------------------------------

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write a file; its directories are made. NoSpace when the tree is full."""
        if len(data) > MAX_BYTES:
            raise NoSpace("No space left on device")
        self._put(path, File(data, mode))
        self._tell(path)

    def append(self, path: str, data: bytes) -> None:
        """Add to a file's end."""
        self.write(path, (self.read(path) or b"") + data, self.mode(path) or 0o644)

    def mkdir(self, path: str) -> None:
        if path and not self.is_dir(path):
            self._make(path)
            self._tell(path)

    def remove(self, path: str) -> None:
        """Remove a file, or a directory with all in it; fine if there is none."""
        removed = self._take_away(path)
        for name in [path] if path else removed:
            self._tell(name)

    def replace(self, files: Files) -> None:
        """Hold exactly these files."""
        for name, _ in list(self.walk()):
            if name not in files:
                self.remove(name)
        for name, file in files.items():
            if self._file(name) != file:
                self.write(name, file.data, file.mode)

    # -- for interpreters ------------------------------------------------------------------------

    def watch(self, watcher: Watcher) -> None:
        """Tell a holder of a copy of all that changes from now on."""
        if watcher not in self._watchers:
            self._watchers = (*self._watchers, watcher)

    def unwatch(self, watcher: Watcher) -> None:
        self._watchers = tuple(other for other in self._watchers if other is not watcher)

    def apply(self, changes: Changes, origin: Watcher) -> None:
        """Take over what a script has changed in a copy; what has no room is lost again."""
        for path in changes.gone:
            self._drop(path)
            self._tell(path, origin)
        # A directory outlives its last file.
        left = {posixpath.dirname(path) for path in changes.gone}.difference(changes.gone, ("",))
        for path in left:
            self._make(path)
        for path in changes.directories:
            self._make(path)
            self._tell(path, origin)
        for path, file in changes.files.items():
            try:
                self._put(path, file)
            except NoSpace:
                self._tell(path)
            else:
                self._tell(path, origin)
        self.trim()

    def trim(self) -> bool:
        """Take the largest files away until the tree keeps its limit. Whether any had to go."""
        total = self.used_bytes()
        if total <= MAX_BYTES:
            return False
        upper = self._upper or {}
        sizes = sorted(((len(file.data), name) for name, file in upper.items() if file))
        while total > MAX_BYTES and sizes:
            size, name = sizes.pop()
            self._drop(name)
            self._tell(name)
            total -= size
        return True

    # -- inside ----------------------------------------------------------------------------------

    def _put(self, path: str, file: File) -> None:
        upper = self._upper = {} if self._upper is None else self._upper
        if len(path) > _LONGEST_PATH or (path not in upper and len(upper) >= MAX_FILES):
            raise NoSpace("No space left on device")
        upper[path] = file

    def _make(self, path: str) -> None:
        made = self._dirs = set() if self._dirs is None else self._dirs
        if len(path) <= _LONGEST_PATH and len(made) < _MAX_DIRECTORIES:
            made.add(path)

    def _drop(self, path: str) -> None:
        """Forget exactly this file, link or directory."""
        if self._dirs is not None:
            self._dirs.discard(path)
        upper = self._upper
        if path in self._lower:
            upper = self._upper = {} if upper is None else upper
            upper[path] = None
        elif upper is not None:
            upper.pop(path, None)

    def _take_away(self, path: str) -> list[str]:
        """Remove without telling; return the names at the root that are gone."""
        prefix = f"{path}/" if path else ""
        upper = {} if self._upper is None else self._upper
        gone: set[str] = set()
        for name in list(self._names()):
            if name == path or name.startswith(prefix):
                gone.add(name.partition("/")[0])
                if name in self._lower:
                    upper[name] = None
                else:
                    upper.pop(name, None)
        self._upper = upper or None
        if self._dirs is not None:
            kept = {name for name in self._dirs if name != path and not name.startswith(prefix)}
            gone.update(name.partition("/")[0] for name in self._dirs - kept)
            self._dirs = kept or None
        return sorted(gone)

    def _tell(self, path: str, origin: Watcher | None = None) -> None:
        for watcher in self._watchers:
            if watcher is not origin:
                watcher.touched(self, path)

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
