"""A container's file system: the image's files, its own changes, and what is mounted."""

from __future__ import annotations

import posixpath
import stat
from typing import NamedTuple

from nodes.runtime.cri import Mount
from nodes.runtime.simulated.hostfiles import MemoryHostFiles
from nodes.runtime.simulated.volume import Files, Volume, relative

# Links that lead to links, before Linux says ELOOP.
_MAX_LINKS = 40


class ReadOnly(OSError):
    """The path may not be written."""


class Tree(NamedTuple):
    """A tree of files at its place in a container."""

    path: str
    volume: Volume
    readonly: bool


class _MountPoint:
    __slots__ = ("host_path", "inside", "is_file", "path", "readonly", "volume")

    def __init__(self, mount: Mount, host: MemoryHostFiles) -> None:
        self.path = relative(mount.container_path)
        self.host_path = mount.host_path
        self.readonly = mount.readonly
        volume, inside = host.find(mount.host_path)
        self.is_file = bool(inside) and volume.read(inside) is not None
        if self.is_file:
            self.volume, self.inside = volume, inside
        else:
            self.volume, self.inside = host.mounted(mount.host_path), ""


class Filesystem:
    """What the processes of one container see."""

    __slots__ = ("_host", "_mounts", "_readonly", "root")

    def __init__(
        self, lower: Files, mounts: tuple[Mount, ...], host: MemoryHostFiles, *, readonly: bool
    ) -> None:
        self.root = Volume(lower)
        self._host = host
        self._readonly = readonly
        points = [_MountPoint(mount, host) for mount in mounts]
        # Longest first, so that the innermost mount of a path is met first.
        self._mounts = tuple(sorted(points, key=lambda point: -len(point.path)))

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None where there is no file; a link leads to its target."""
        for _ in range(_MAX_LINKS):
            volume, inside, _readonly = self._at(path)
            target = volume.link(inside)
            if target is None:
                return volume.read(inside)
            path = posixpath.join(posixpath.dirname(f"/{relative(path)}"), target)
        return None

    def text(self, path: str) -> str:
        """Return a file as text, "" where there is none."""
        return (self.read(path) or b"").decode("utf-8", "replace")

    def exists(self, path: str) -> bool:
        volume, inside, _ = self._at(path)
        return volume.exists(inside)

    def is_dir(self, path: str) -> bool:
        volume, inside, _ = self._at(path)
        return volume.is_dir(inside)

    def mode(self, path: str) -> int:
        volume, inside, _ = self._at(path)
        return volume.mode(inside)

    def names(self, path: str) -> list[str]:
        volume, inside, _ = self._at(path)
        names = set(volume.names(inside))
        start = relative(path)
        prefix = f"{start}/" if start else ""
        for point in self._mounts:
            if point.path.startswith(prefix) and point.path != start:
                head, slash, _rest = point.path[len(prefix) :].partition("/")
                names.add(head if point.is_file and not slash else f"{head}/")
        return sorted(names)

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write a file. ReadOnly, or NoSpace."""
        volume, inside, readonly = self._at(path)
        if readonly:
            raise ReadOnly("Read-only file system")
        volume.write(inside, data, mode)

    def mkdir(self, path: str) -> None:
        """Make a directory and those above it. ReadOnly."""
        volume, inside, readonly = self._at(path)
        if readonly and not volume.is_dir(inside):
            raise ReadOnly("Read-only file system")
        volume.mkdir(inside)

    def link(self, path: str) -> str | None:
        """Return where a symbolic link leads, None where there is none."""
        volume, inside, _ = self._at(path)
        return volume.link(inside)

    def make_link(self, path: str, target: str) -> None:
        """Make a symbolic link. ReadOnly, or NoSpace."""
        self.write(path, target.encode(), stat.S_IFLNK | 0o777)

    def written_bytes(self) -> int:
        return self.root.used_bytes()

    def mounts(self) -> list[tuple[str, bool]]:
        """Return the mounted paths, and whether each is read-only."""
        return sorted((f"/{point.path}", point.readonly) for point in self._mounts)

    # -- shells ----------------------------------------------------------------------------------

    def trees(self) -> list[Tree]:
        """Return what a shell has to see, outer trees first. `collect` follows when it has run."""
        for point in reversed(self._mounts):
            if point.is_file:
                data = point.volume.read(point.inside) or b""
                if self.root.read(point.path) != data:
                    self.root.write(point.path, data)
            else:
                self.root.mkdir(point.path)
        found = [Tree("/", self.root, self._readonly)]
        for point in reversed(self._mounts):
            if point.is_file:
                continue
            found.append(Tree(f"/{point.path}", point.volume, point.readonly))
            found += [
                Tree(f"/{point.path}/{below}", volume, point.readonly)
                for below, volume in self._host.inner_mounts(point.host_path)
            ]
        return found

    def collect(self) -> None:
        """Give files that are mounted alone back what a shell wrote, and keep the limits."""
        for point in self._mounts:
            if point.is_file and not point.readonly:
                data = self.root.read(point.path)
                if data is not None and data != point.volume.read(point.inside):
                    point.volume.write(point.inside, data)
            elif not point.is_file:
                point.volume.trim()
        self.root.trim()

    @property
    def readonly(self) -> bool:
        """Whether the image's own files may not be changed."""
        return self._readonly

    def _at(self, path: str) -> tuple[Volume, str, bool]:
        wanted = relative(path)
        for point in self._mounts:
            if wanted == point.path:
                return point.volume, point.inside, point.readonly
            if not point.is_file and wanted.startswith(f"{point.path}/"):
                inner = self._host.find(f"{point.host_path}/{wanted[len(point.path) + 1 :]}")
                return (*inner, point.readonly)
        return self.root, wanted, self._readonly
