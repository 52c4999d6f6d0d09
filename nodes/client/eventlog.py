"""What a component logs of its events: that it tells them, and that they are lost.

In the words of client-go's broadcasters (tools/record/event.go). Events of the newer form, which
the scheduler writes, are told and lost in silence (tools/events).
"""

from __future__ import annotations

from dataclasses import dataclass

from apimachinery.clock import parse_time
from apimachinery.errors import AlreadyExists, ApiError
from apimachinery.meta import Obj
from nodes.client.klog import SILENT, Klog

# As Go prints a reference, and as it is written.
_REFERENCE = (
    *(("Kind", "kind"), ("Namespace", "namespace"), ("Name", "name"), ("UID", "uid")),
    *(("APIVersion", "apiVersion"), ("ResourceVersion", "resourceVersion")),
    ("FieldPath", "fieldPath"),
)
_NO_TIME = "0001-01-01 00:00:00 +0000 UTC"


@dataclass(frozen=True, slots=True)
class EventLog:
    """The log of one component, and the name of its logger, if it has one of its own."""

    klog: Klog = SILENT
    logger: str = ""

    @property
    def silent(self) -> bool:
        return self.klog is SILENT

    def occurred(self, about: Obj, type_: str, reason: str, message: str) -> None:
        """An event is told."""
        namespace, name = about.get("namespace"), about.get("name", "")
        self.klog.info(
            "event.go:389",
            "Event occurred",
            *self._named(),
            *("object", f"{namespace}/{name}" if namespace else name),
            *("fieldPath", about.get("fieldPath", "")),
            *("kind", about.get("kind", ""), "apiVersion", about.get("apiVersion", "")),
            *("type", type_, "reason", reason, "message", message),
        )

    # Each of these is given the Event as it was to be written.

    def dropped(self, event: Obj) -> None:
        """Too many wait already."""
        what = "Unable to record event: too many queued events, dropped event"
        self._lost("event.go:468", what, event)

    def refused(self, event: Obj, error: ApiError) -> None:
        """The API does not take it."""
        if not (isinstance(error, AlreadyExists) or error.has_cause("NamespaceTerminating")):
            self._lost("event.go:360", "Server rejected event (will not retry!)", event, error)

    def waits(self, event: Obj, error: ApiError) -> None:
        """The API cannot be reached."""
        what = "Unable to write event (may retry after sleeping)"
        self._lost("event.go:369", what, event, error)

    def given_up(self, event: Obj) -> None:
        """The API could not be reached for too long."""
        self._lost("event.go:308", "Unable to write event (retry limit exceeded!)", event)

    def _lost(self, where: str, what: str, event: Obj, error: ApiError | None = None) -> None:
        if event.get("eventTime") is None:
            why = ("err", error.message) if error is not None else ()
            self.klog.error(where, what, *why, *self._named(), "event", _printed(event))

    def _named(self) -> tuple[str, ...]:
        return ("logger", self.logger) if self.logger else ()


def _printed(event: Obj) -> str:
    """Print an Event as Go prints v1.Event."""
    about, source, metadata = event["involvedObject"], event["source"], event["metadata"]
    named = f"{metadata['name']}  {metadata['namespace']}    0 {_NO_TIME} <nil> <nil>"
    reference = "".join(f"{field}:{about.get(key, '')}," for field, key in _REFERENCE)
    component, host = source.get("component", ""), source.get("host", "")
    first, last = _time(event["firstTimestamp"]), _time(event["lastTimestamp"])
    return (
        f"&Event{{ObjectMeta:{{{named} map[] map[] [] [] []}},"
        f"InvolvedObject:ObjectReference{{{reference}}},"
        f"Reason:{event['reason']},Message:{event['message']},"
        f"Source:EventSource{{Component:{component},Host:{host},}},"
        f"FirstTimestamp:{first},LastTimestamp:{last},Count:{event['count']},"
        f"Type:{event['type']},EventTime:{_NO_TIME},Series:nil,Action:,Related:nil,"
        f"ReportingController:{component},ReportingInstance:{host},}}"
    )


def _time(stamp: str) -> str:
    return f"{parse_time(stamp):%Y-%m-%d %H:%M:%S} +0000 UTC"
