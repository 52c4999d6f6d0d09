"""What became of each request, stage by stage: kept for a while, so that people can look at it.

A stage costs a clock reading and a tuple. Nothing is formatted until somebody asks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple

# The requests of some seconds of a busy cluster, of hours of an idle one; about 500 bytes each.
KEPT = 1000


class Stage(NamedTuple):
    """One step of a request: its name, how long it took, and what it came to."""

    name: str
    micros: float
    outcome: str = ""


@dataclass(slots=True)
class Trace:
    """The way of one request, under its Audit-ID."""

    audit_id: str
    at: float
    verb: str = ""
    path: str = ""
    resource: str = ""
    user: str = ""
    code: int = 0
    stages: list[Stage] = field(default_factory=list)
    # What the audit log adds to the request: authorization.k8s.io/reason and the like.
    annotations: dict[str, str] = field(default_factory=dict)
    _mark: float = field(default_factory=perf_counter)
    _began: float = field(default_factory=perf_counter)

    def stage(self, name: str, outcome: str = "") -> None:
        """Note that a step is over; its time is what passed since the step before it."""
        now = perf_counter()
        self.stages.append(Stage(name, (now - self._mark) * 1e6, outcome))
        self._mark = now

    @property
    def seconds(self) -> float:
        """How long it took up to the last stage."""
        return self._mark - self._began

    def record(self) -> dict[str, Any]:
        """Return the trace as JSON has it."""
        return {
            "auditID": self.audit_id,
            "at": self.at,
            "verb": self.verb,
            "path": self.path,
            "resource": self.resource,
            "user": self.user,
            "code": self.code,
            "annotations": dict(self.annotations),
            "stages": [
                {"name": s.name, "micros": round(s.micros, 1), "outcome": s.outcome}
                for s in self.stages
            ],
        }


class Traces:
    """The last requests of a cluster, by Audit-ID, the oldest forgotten first."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._traces: OrderedDict[str, Trace] = OrderedDict()

    def add(self, trace: Trace) -> None:
        self._traces[trace.audit_id] = trace
        if len(self._traces) > self._kept:
            self._traces.popitem(last=False)

    def get(self, audit_id: str) -> Trace | None:
        return self._traces.get(audit_id)

    def __iter__(self) -> Iterator[Trace]:
        """Yield the newest first."""
        return reversed(list(self._traces.values()))
