"""What became of each request, stage by stage: kept for a while, so that people can look at it.

A stage costs a clock reading and a tuple. Nothing is formatted until somebody asks, and what a
stage made of an object is noted only while somebody looks (`Traces.record_details`).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple

from apimachinery.errors import ApiError, Conflict
from apiserver.auth.attributes import Decision
from apiserver.endpoints.details import Details
from apiserver.endpoints.requestinfo import RequestInfo, parse
from apiserver.registry.store import Wrote

# The requests of some seconds of a busy cluster, of hours of an idle one; about 700 bytes each.
# A request of people is not forgotten for what a thousand pods make workers do.
KEPT_OF_PEOPLE, KEPT_OF_WORKERS = 250, 750
# Requests of which it is known what their stages did: at most 64 KB each.
KEPT_DETAILS = 100
# Of what a client or a webhook may make as long as it likes.
LONGEST_TEXT, MOST_CAUSES = 1024, 32
# Audit annotations of authorization.
DECISION, REASON = "authorization.k8s.io/decision", "authorization.k8s.io/reason"
_READS = frozenset({"get", "list", "watch"})
# Annotations that hold what was sent: patches of webhooks.
_BODIES = "patch."
# How the site names itself: what its pages read, and ask about rights, is no doing of people's.
SITE_AGENT = "kubeground-site"
_ASKS_RIGHTS = "selfsubjectaccessreviews"


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
    decision: Decision | None = None
    # Of a worker's request: the revisions that it was made because of.
    cause: tuple[int, ...] = ()
    # What it wrote, and which webhooks were asked: None where it is no write.
    wrote: list[Wrote] | None = None
    calls: list[dict[str, Any]] | None = None
    details: Details | None = None
    # Noted at its end. `groups` are those of the user; `flow` is of priority and fairness.
    groups: tuple[str, ...] = ()
    agent: str = ""
    flow: str = ""
    # The terminal of the site that it was typed in, and the run of kubectl that it is part of.
    terminal: str = ""
    session: str = ""
    refusal: dict[str, Any] | None = None
    # Counted as they end.
    number: int = 0
    _mark: float = field(default_factory=perf_counter)
    _began: float = field(default_factory=perf_counter)
    # Made with the first note: most requests have none.
    _notes: dict[str, str] | None = None

    def stage(self, name: str, outcome: str = "") -> None:
        """Note that a step is over; its time is what passed since the step before it."""
        now = perf_counter()
        self.stages.append(Stage(name, (now - self._mark) * 1e6, outcome))
        self._mark = now

    def refused(self, error: ApiError) -> None:
        """Note that this is where it ended, and the API's own words."""
        self.code = error.code
        self.stage("refused", error.reason)
        self.refusal = _cut(error)

    def ended_by(self, error: ApiError) -> None:
        """Note why a stream that was opened had nothing to say."""
        self.stage("watch opened", error.reason)
        self.refusal = _cut(error)

    @property
    def notes(self) -> dict[str, str]:
        """What authentication and admission have to add to the audit log."""
        if self._notes is None:
            self._notes = {}
        return self._notes

    @property
    def annotations(self) -> dict[str, str]:
        """What the audit log adds to the request: the authorizer's reason, and the notes."""
        found: dict[str, str] = {}
        if self.decision is not None:
            found[DECISION] = "allow" if self.decision.allowed else "forbid"
            found[REASON] = self.decision.reason
        return found | (self._notes or {})

    @property
    def began(self) -> float:
        """The moment in which it came, as `perf_counter` has it."""
        return self._began

    @property
    def seconds(self) -> float:
        """How long it took up to the last stage."""
        return self._mark - self._began

    @property
    def of_people(self) -> bool:
        """Whether somebody outside of the cluster asked, and no page of ours for itself."""
        reads = self.verb in _READS or self.resource == _ASKS_RIGHTS
        return bool(self.agent) and not (reads and self.agent.startswith(SITE_AGENT))

    @property
    def info(self) -> RequestInfo:
        """What is asked for, read off the path once more."""
        info = parse("GET", self.path, {})
        info.verb = self.verb
        return info

    def record(self) -> dict[str, Any]:
        """Return the trace as JSON has it."""
        info = self.info
        found: dict[str, Any] = {
            "number": self.number,
            "auditID": self.audit_id,
            "at": self.at,
            "seconds": round(self.seconds, 7),
            "verb": self.verb,
            "path": self.path,
            "group": info.group,
            "version": info.version,
            "resource": self.resource,
            "namespace": info.namespace,
            "name": info.name,
            "subresource": info.subresource,
            "user": self.user,
            "userAgent": self.agent,
            "people": self.of_people,
            "flow": self.flow,
            "terminal": self.terminal,
            "session": self.session,
            "code": self.code,
            "cause": list(self.cause),
            "wrote": [one.record() for one in self.wrote or ()],
            "webhooks": list(self.calls or ()),
            "annotations": {
                k: v[:LONGEST_TEXT]
                for k, v in self.annotations.items()
                if not k.startswith(_BODIES)
            },
            "stages": [
                {"name": s.name, "micros": round(s.micros, 1), "outcome": s.outcome}
                for s in self.stages
            ],
        }
        if self.refusal is not None:
            found["refusal"] = self.refusal
        if self.details is not None:
            found["details"] = self.details.record()
        return found


def _cut(error: ApiError) -> dict[str, Any]:
    """Return a refusal's Status, no longer than people read."""
    status = error.status()
    status["message"] = error.message[: LONGEST_TEXT * 4]
    details = dict(status.get("details") or {})
    if causes := details.get("causes"):
        details["causes"] = [
            {key: str(value)[:LONGEST_TEXT] for key, value in cause.items()}
            for cause in causes[:MOST_CAUSES]
        ]
        status["details"] = details
    if isinstance(error, Conflict) and error.stored:
        status["revisions"] = {"sent": error.sent, "stored": error.stored}
    return status


class Traces:
    """The last requests of a cluster, by Audit-ID, the oldest forgotten first."""

    def __init__(self, of_people: int = KEPT_OF_PEOPLE, of_workers: int = KEPT_OF_WORKERS) -> None:
        self._kept = {True: of_people, False: of_workers}
        self._traces: dict[bool, OrderedDict[str, Trace]] = {
            True: OrderedDict(),
            False: OrderedDict(),
        }
        # How many there were: the number of the last.
        self.count = 0
        self._details: deque[Trace] = deque()
        self._recording_until = 0.0
        self._waiting: list[Callable[[], None]] = []
        self.closed = False

    def add(self, trace: Trace) -> None:
        self.count += 1
        trace.number = self.count
        people = trace.of_people
        kept = self._traces[people]
        kept[trace.audit_id] = trace
        if len(kept) > self._kept[people]:
            kept.popitem(last=False)
        if trace.details is not None:
            self._keep_details(trace)
        if self._waiting:
            self._wake()

    def get(self, audit_id: str) -> Trace | None:
        return self._traces[True].get(audit_id) or self._traces[False].get(audit_id)

    def __iter__(self) -> Iterator[Trace]:
        """Yield the newest first."""
        every = [*self._traces[True].values(), *self._traces[False].values()]
        return iter(sorted(every, key=lambda trace: -trace.number))

    def on_next(self, wake: Callable[[], None]) -> None:
        """Call `wake` once, when the next request has ended."""
        self._waiting.append(wake)

    def close(self) -> None:
        """Let nobody wait any more."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    # -- what the stages did ---------------------------------------------------------------------

    def record_details(self, seconds: float) -> None:
        """Note of each write from now on what its stages do, for so many seconds; 0 ends it."""
        self._recording_until = perf_counter() + seconds

    @property
    def recording(self) -> bool:
        return self._recording_until > perf_counter()

    def details_for(self, trace: Trace) -> Details | None:
        """Return where a write's stages are noted, None where nobody looks."""
        return Details() if self._recording_until > trace.began else None

    def _keep_details(self, trace: Trace) -> None:
        if trace.details is not None:
            trace.details.close()
        self._details.append(trace)
        if len(self._details) > KEPT_DETAILS:
            self._details.popleft().details = None
