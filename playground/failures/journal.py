"""What is broken and what was, kept through restarts of the worker in a file of the instance.

A failure is simulated by the process that runs the cluster, so a new process has to be told of it
again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from playground.kept import Kept

# Enough for a long lesson; of a moment there is a line, so this is 50 KB.
MOST_MOMENTS = 500
_FILE = "failures.json"


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
    lasts: bool = True  # there is something to mend: a kill is over at once


@dataclass(slots=True)
class Journal:
    """The failures and the moments of one cluster."""

    kept: Kept = field(default_factory=Kept)
    failures: dict[str, Failure] = field(default_factory=dict)
    moments: deque[Moment] = field(default_factory=lambda: deque(maxlen=MOST_MOMENTS))
    count: int = 0

    async def read(self) -> None:
        """Take in what an earlier process has kept; what makes no sense is left out."""
        found = await self.kept.read(_FILE)
        try:
            failures = [_read(Failure, item) for item in found.get("failures") or ()]
            moments = [_read(Moment, item) for item in found.get("moments") or ()]
            self.count = int(found.get("count") or 0)
        except (TypeError, ValueError):
            return
        self.failures = {failure.id: failure for failure in failures}
        self.moments.extend(moments)

    async def write(self) -> None:
        """Keep what is there now."""
        document = {
            "count": self.count,
            "failures": [asdict(failure) for failure in self.failures.values()],
            "moments": [asdict(moment) for moment in self.moments],
        }
        await self.kept.write(_FILE, document)


def _read(kind: type[Any], item: dict[str, Any]) -> Any:
    known = {one.name for one in fields(kind)}
    return kind(**{key: value for key, value in item.items() if key in known})
