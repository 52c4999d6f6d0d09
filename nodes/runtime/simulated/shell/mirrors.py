"""Which trees an interpreter has copies of, and what has changed in them since it was told.

Changes are noted by path and sent ahead of the next message, so a server that writes a thousand
times between two scripts costs one transfer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nodes.runtime.simulated.shell.wire import Head, Send
from nodes.runtime.simulated.volume import Changes, File, Volume

# Copies of small trees that are kept for the next shell; containers come and go. 64 of an image's
# tree are about 10 MB; what is larger than this goes with its last shell.
MAX_KEPT = 64
_SMALL = 1024 * 1024
# Contents of one message; a full tree takes several.
_BATCH = 8 * 1024 * 1024


class Mirrors:
    """The trees of one interpreter."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._numbers: dict[Volume, int] = {}
        self._volumes: dict[int, Volume] = {}
        self._changed: dict[Volume, set[str]] = {}
        self._users: dict[Volume, int] = {}
        self._writable: set[Volume] = set()
        self._last = 0

    def hold(self, volume: Volume, *, writable: bool) -> int:
        """Return the number of a tree; the interpreter gets a copy if it has none."""
        self._users[volume] = self._users.get(volume, 0) + 1
        if writable:
            self._writable.add(volume)
        number = self._numbers.get(volume)
        if number is None:
            self._last = number = self._last + 1
            self._numbers[volume], self._volumes[number] = number, volume
            volume.watch(self)
            files = list(volume.entries())
            self._tell(number, volume, files, volume.directories(), [])
        return number

    def flush(self) -> None:
        """Send all that has changed."""
        changed, self._changed = self._changed, {}
        for volume, paths in changed.items():
            number = self._numbers.get(volume)
            if number is not None:
                found = {name: volume.file(name) for name in paths}
                files = [(name, file) for name, file in found.items() if file is not None]
                missing = [name for name, file in found.items() if file is None]
                directories = volume.all_directories() if missing else set()
                made = [name for name in missing if name in directories]
                gone = [name for name in missing if name not in directories]
                self._tell(number, volume, files, made, gone)

    def apply(self, head: Head, body: bytes) -> None:
        """Take over what a script has changed. ValueError if the message makes no sense."""
        volume = self._volumes.get(head["tree"])
        if volume is None or volume not in self._writable:
            return
        files: dict[str, File] = {}
        at = 0
        for path, mode, size in head["files"]:
            if not _is_path(path) or not 0 <= size <= len(body) - at:
                raise ValueError("not a file of a tree")
            files[path] = File(body[at : at + size], int(mode))
            at += size
        if not all(map(_is_path, [*head["directories"], *head["gone"]])):
            raise ValueError("not a path of a tree")
        changes = Changes(files, tuple(head["directories"]), tuple(head["gone"]))
        volume.apply(changes, self)

    def release(self, volume: Volume) -> None:
        """A shell needs the tree no more. The copy is kept for the next one if it is small."""
        left = self._users[volume] - 1
        if left:
            self._users[volume] = left
            return
        del self._users[volume]
        if volume.used_bytes() > _SMALL:
            self._forget(volume)
        elif len(self._numbers) > MAX_KEPT:
            unused = (other for other in self._numbers if other not in self._users)
            self._forget(next(unused, volume))

    def close(self) -> None:
        """The interpreter is gone."""
        for volume in self._numbers:
            volume.unwatch(self)
        self._numbers.clear()
        for kept in (self._volumes, self._changed, self._users, self._writable):
            kept.clear()

    def _forget(self, volume: Volume) -> None:
        number = self._numbers.pop(volume, None)
        if number is not None:
            del self._volumes[number]
            self._changed.pop(volume, None)
            self._writable.discard(volume)
            volume.unwatch(self)
            self._send({"op": "forget", "tree": number}, b"")

    # -- volume.Watcher --------------------------------------------------------------------------

    def touched(self, volume: Volume, path: str) -> None:
        self._changed.setdefault(volume, set()).add(path)

    def _tell(
        self,
        number: int,
        volume: Volume,
        files: list[tuple[str, File]],
        directories: list[str],
        gone: list[str],
    ) -> None:
        head: dict[str, Any] = {"op": "files", "tree": number, "devices": volume.is_root}
        first = True
        for batch in _batches(files):
            self._send(
                {
                    **head,
                    "files": [[path, file.mode, len(file.data)] for path, file in batch],
                    "directories": directories if first else [],
                    "gone": gone if first else [],
                },
                b"".join(file.data for _, file in batch),
            )
            first = False


def _batches(files: list[tuple[str, File]]) -> Iterator[list[tuple[str, File]]]:
    """Divide files into messages; there is always one."""
    batch: list[tuple[str, File]] = []
    size = 0
    for path, file in files:
        if batch and size + len(file.data) > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append((path, file))
        size += len(file.data)
    yield batch


def _is_path(path: Any) -> bool:
    """Whether this is a path as trees have them."""
    return (
        isinstance(path, str)
        and bool(path)
        and not path.startswith("/")
        and not any(part in ("", ".", "..") for part in path.split("/"))
    )
