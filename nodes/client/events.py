"""Events: what a component tells people of an object, without ever holding its work up.

`Recorder.event` takes microseconds and cannot fail. The cluster's sink (`eventsink`) writes what
has gathered; what is much alike is put together on the way (`correlator`).
"""

from __future__ import annotations

from apimachinery.clock import Clock
from apimachinery.meta import Obj, name_of, namespace_of
from nodes.client.eventsink import EventSink
from nodes.client.occurrences import SILENCE, Occurrence
from nodes.client.pace import USUAL, Pace
from nodes.client.rest import Client

NORMAL, WARNING = "Normal", "Warning"


class Recorder:
    """Says what one component has to say, at its pace. `host` is set by what runs on a node."""

    # What is said is logged too.
    log = SILENCE

    def __init__(
        self,
        client: Client,
        component: str,
        clock: Clock,
        sink: EventSink,
        host: str = "",
        pace: Pace = USUAL,
    ) -> None:
        self._client, self._clock, self._sink, self._pace = client, clock, sink, pace
        self._source = {"component": component} | ({"host": host} if host else {})

    def named(self, component: str) -> Recorder:
        """Return who says things for another component, in the same way."""
        host = self._source.get("host", "")
        return Recorder(self._client, component, self._clock, self._sink, host, self._pace)

    def event(
        self,
        about: Obj,
        type_: str,
        reason: str,
        message: str,
        *,
        field_path: str = "",
        action: str = "",
        related: Obj | None = None,
    ) -> None:
        """Tell of an object (or of a reference to one).

        With `action` the event has the newer form that the scheduler writes: eventTime and action
        in place of the timestamps, the count and the source.
        """
        meant = reference(about, field_path)
        if not self.log.silent:
            self.log.occurred(meant, type_, reason, message)
        self._sink.put(
            Occurrence(
                self._client,
                self._source,
                meant,
                type_,
                reason,
                # The API takes messages of up to 1024 bytes.
                message if len(message) <= 1024 else message[:1024],
                self._clock.seconds(),
                self._clock.timestamp(),
                action,
                reference(related, "") if related is not None else None,
                pace=self._pace,
                log=self.log,
            )
        )


def reference(obj: Obj, field_path: str) -> Obj:
    """Build an ObjectReference to what an event is about; a reference is taken as it is."""
    if "metadata" not in obj:
        return obj | ({"fieldPath": field_path} if field_path else {})
    metadata = obj["metadata"]
    found: Obj = {"kind": obj.get("kind", "")}
    if namespace := namespace_of(obj):
        found["namespace"] = namespace
    found["name"] = name_of(obj)
    if metadata.get("uid"):
        found["uid"] = metadata["uid"]
    found["apiVersion"] = obj.get("apiVersion", "")
    if metadata.get("resourceVersion"):
        found["resourceVersion"] = metadata["resourceVersion"]
    if field_path:
        found["fieldPath"] = field_path
    return found
