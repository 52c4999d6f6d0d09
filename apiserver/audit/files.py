"""A log file that begins anew when it is large; old ones are kept for a while.

They are named as lumberjack names them, which kube-apiserver uses: `audit.log` becomes
`audit-2026-01-02T03-04-05.678.log`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from apimachinery.clock import Clock

MEGABYTE = 1024 * 1024
_STAMP = "%Y-%m-%dT%H-%M-%S"


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much is kept. 0 is no limit, but for the size, where it is 100 megabytes."""

    days: int = 0
    backups: int = 0
    megabytes: int = 100


class RotatingFile:
    """Appends lines. Used by one thread."""

    def __init__(self, path: Path, keeping: Keeping, clock: Clock) -> None:
        self._path, self._keeping, self._clock = path, keeping, clock
        self._largest = (keeping.megabytes or 100) * MEGABYTE
        self._file: BinaryIO | None = None
        self._size = 0

    def write(self, data: bytes) -> None:
        """Append to the file, or to a new one where this would make it too large."""
        if self._file is None:
            self._open()
        if self._size and self._size + len(data) > self._largest:
            self._rotate()
        if self._file is not None:
            self._file.write(data)
            self._file.flush()
            self._size += len(data)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file = os.fdopen(descriptor, "ab")
        self._size = self._path.stat().st_size

    def _rotate(self) -> None:
        self.close()
        now = self._clock.now().astimezone(UTC)
        stamp = f"{now:{_STAMP}}.{now.microsecond // 1000:03}"
        self._path.rename(self._path.with_name(f"{self._path.stem}-{stamp}{self._path.suffix}"))
        self._forget(now)
        self._open()

    def _forget(self, now: datetime) -> None:
        """Remove what is too old, and what is too many."""
        backups = self._backups()
        if self._keeping.backups:
            for _, path in backups[self._keeping.backups :]:
                path.unlink(missing_ok=True)
        if self._keeping.days:
            end = now - timedelta(days=self._keeping.days)
            for made, path in backups:
                if made < end:
                    path.unlink(missing_ok=True)

    def _backups(self) -> list[tuple[datetime, Path]]:
        """Return the old files with their times, the newest first."""
        stem, suffix = map(re.escape, (self._path.stem, self._path.suffix))
        name = re.compile(rf"{stem}-(\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\d)\.\d{{3}}{suffix}")
        found = []
        for path in self._path.parent.iterdir():
            if match := name.fullmatch(path.name):
                made = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
                found.append((made, path))
        return sorted(found, key=lambda one: (one[0], one[1].name), reverse=True)
