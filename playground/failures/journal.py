"""What is broken and what was, kept through restarts of the worker in a file of the instance.

A failure is simulated by the process that runs the cluster, so a new process has to be told of it
again. The file is small, and whole or not there: it is replaced at each change, on a thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import orjson

from playground.instance import write_private

# Enough for a long lesson; of a moment there is a line, so this is 50 KB.
MOST_MOMENTS = 500


@dataclass(slots=True)
class Failure:
    """Something that is broken. `target` is what the failure's kind asks for."""

    id: str
    kind: str
    target: dict[str, Any]
    what: str
    began: str
    revision: int
    by: str = ""
    prediction: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that people did to the cluster from outside, at a revision. For a timeline."""

    revision: int
    time: str
    what: str
    kind: str
    failure: str
    state: str  # "began" or "ended"


@dataclass(slots=True)
class Journal:
    """The failures and the moments of one cluster; without a file they last as long as it."""

    file: Path | None = None
    failures: dict[str, Failure] = field(default_factory=dict)
    moments: deque[Moment] = field(default_factory=lambda: deque(maxlen=MOST_MOMENTS))
    count: int = 0

    @classmethod
    def of(cls, directory: Path | None, uid: str) -> Journal:
        """Return the journal of the cluster with this uid, empty until it is read."""
        return cls(directory / "failures" / f"{uid}.json" if directory is not None else None)

    async def read(self) -> None:
        """Take in what an earlier process has kept. A file that cannot be read is an empty one."""
        if self.file is None:
            return
        try:
            kept = orjson.loads(await asyncio.to_thread(self.file.read_bytes))
            failures = [_read(Failure, item) for item in kept["failures"]]
            moments = [_read(Moment, item) for item in kept["moments"]]
        except (OSError, ValueError, KeyError, TypeError):
            return
        self.count = int(kept.get("count") or 0)
        self.failures = {failure.id: failure for failure in failures}
        self.moments.extend(moments)

    async def write(self) -> None:
        """Keep what is there now."""
        if self.file is None:
            return
        kept = {
            "count": self.count,
            "failures": [asdict(failure) for failure in self.failures.values()],
            "moments": [asdict(moment) for moment in self.moments],
        }
        await asyncio.to_thread(_replace, self.file, orjson.dumps(kept).decode())

    async def discard(self) -> None:
        """Forget it all: the cluster is gone."""
        if self.file is not None:
            await asyncio.to_thread(self.file.unlink, missing_ok=True)


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    write_private(file, text)


def _read(kind: type[Any], item: dict[str, Any]) -> Any:
    known = {one.name for one in fields(kind)}
    return kind(**{key: value for key, value in item.items() if key in known})
