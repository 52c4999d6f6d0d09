"""What a component tells of an object: by which it is known again, and its Event in the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from apimachinery.meta import Obj
from nodes.client.cause import CAUSE, Cause
from nodes.client.eventlog import EventLog
from nodes.client.pace import USUAL, Pace
from nodes.client.rest import Client

Key = tuple[str, ...]
SILENCE = EventLog()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something happened to an object; with `action` it is told in the form of the newer API."""

    client: Client
    source: Obj
    about: Obj
    type: str
    reason: str
    message: str
    seconds: float
    stamp: str
    action: str = ""
    related: Obj | None = None
    cause: Cause = field(default_factory=CAUSE.get)
    pace: Pace = USUAL  # of the component
    log: EventLog = SILENCE  # its own

    @property
    def component(self) -> str:
        return str(self.source.get("component", ""))

    @property
    def host(self) -> str:
        return str(self.source.get("host", ""))

    @property
    def namespace(self) -> str:
        return str(self.about.get("namespace") or "default")

    @property
    def micro_stamp(self) -> str:
        fraction = int(self.seconds * 1e6) % 1_000_000
        return f"{self.stamp[:-1]}.{fraction:06d}Z"

    @property
    def object_key(self) -> Key:
        return (
            self.component,
            self.host,
            *(self.about.get(part, "") for part in ("kind", "namespace", "name", "uid")),
            self.about.get("apiVersion", ""),
        )

    @property
    def reason_key(self) -> Key:
        return (*self.object_key, self.type, self.reason)

    @property
    def event_key(self) -> Key:
        return (*self.reason_key, self.about.get("fieldPath", ""), self.message)

    @property
    def series_key(self) -> Key:
        """What is said does not matter here, but the state of the object does."""
        related = self.related or {}
        parts = ("kind", "namespace", "name", "uid")
        state = (self.about.get("resourceVersion", ""), self.about.get("fieldPath", ""))
        return (*self.reason_key, self.action, *state, *(related.get(part, "") for part in parts))


@dataclass(slots=True)
class Written:
    """One Event in the API, and how often what it tells of was seen."""

    name: str
    count: int
    first: str
    last: float = 0.0
    present: bool = False  # in the API, so that a repetition is a patch
    closing: bool = False  # it will be looked at when the series may be over
    told: float = 0.0  # when a series was written last


class Saying(NamedTuple):
    """An event as it is to be written: how often it was seen by then, and in which words."""

    occurrence: Occurrence
    written: Written
    message: str
    times: int

    def event(self) -> Obj:
        """Build the Event, as it is where nothing has been said before."""
        occurrence = self.occurrence
        source = occurrence.source
        event: Obj = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": self.written.name, "namespace": occurrence.namespace},
            "involvedObject": occurrence.about,
            "reason": occurrence.reason,
            "message": self.message,
            "type": occurrence.type,
            "reportingComponent": occurrence.component,
        }
        if occurrence.related is not None:
            event["related"] = occurrence.related
        if occurrence.action:
            event |= {
                "source": {},
                "firstTimestamp": None,
                "lastTimestamp": None,
                "eventTime": occurrence.micro_stamp,
                "action": occurrence.action,
                "reportingInstance": occurrence.host or occurrence.component,
            }
        else:
            event |= {
                "source": source,
                "firstTimestamp": self.written.first,
                "lastTimestamp": occurrence.stamp,
                "count": self.times,
                "eventTime": None,
                "reportingInstance": occurrence.host,
            }
        return event

    def repetition(self) -> Obj:
        """Build the patch of an Event that is there: it has happened again."""
        occurrence = self.occurrence
        if occurrence.action:
            last = occurrence.micro_stamp
            return {"series": {"count": self.times, "lastObservedTime": last}}
        return {
            "count": self.times,
            "lastTimestamp": occurrence.stamp,
            "message": self.message,
        }
