"""Events: what a component tells people of an object, without ever holding its work up.

`Recorder.event` takes microseconds and cannot fail. One sink per cluster writes what has
gathered, from one task that lives while there is something to write. As client-go's correlator:
the same event again raises a count, ten and more different messages for one reason are combined,
and a source may say 25 things of an object at once and then one in five minutes; what is held
back is counted. As its newer recorder: an event with an action that comes again begins a series,
whose count is written once more when it has been silent for six minutes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from apimachinery.clock import Clock, format_seconds
from apimachinery.errors import ApiError, NotFound
from apimachinery.meta import Obj, name_of, namespace_of
from nodes.client.cause import CAUSE, Cause
from nodes.client.klog import SILENT, Klog
from nodes.client.resources import EVENTS
from nodes.client.rest import STRATEGIC_PATCH, Client
from nodes.client.supervise import TaskSet

log = logging.getLogger(__name__)

NORMAL, WARNING = "Normal", "Warning"

# client-go's numbers: record/events_cache.go.
_COMBINE_AFTER = 10  # different messages of one reason
_COMBINE_WITHIN = 600.0  # seconds between two of them
_BURST, _PER_SECOND = 25.0, 1.0 / 300.0
_REMEMBERED = 4096
# tools/events/event_broadcaster.go: silence that ends a series (seconds).
_FINISHED = 360.0
# Writes under way together: enough to fill one group commit, few enough to leave room for work.
_TOGETHER = 32
_WAITING = 1000


@dataclass(frozen=True, slots=True)
class _Occurrence:
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

    @property
    def object_key(self) -> tuple[str, ...]:
        return (
            self.source.get("component", ""),
            self.source.get("host", ""),
            *(self.about.get(part, "") for part in ("kind", "namespace", "name", "uid")),
            self.about.get("apiVersion", ""),
        )

    @property
    def reason_key(self) -> tuple[str, ...]:
        return (*self.object_key, self.type, self.reason)

    @property
    def event_key(self) -> tuple[str, ...]:
        return (*self.reason_key, self.about.get("fieldPath", ""), self.message)

    @property
    def series_key(self) -> tuple[str, ...]:
        """What is said does not matter here, but the state of the object does."""
        related = self.related or {}
        parts = ("kind", "namespace", "name", "uid")
        state = (self.about.get("resourceVersion", ""), self.about.get("fieldPath", ""))
        return (*self.reason_key, self.action, *state, *(related.get(part, "") for part in parts))


@dataclass(slots=True)
class _Reasons:
    messages: set[str] = field(default_factory=set)
    last: float = 0.0


@dataclass(slots=True)
class _Written:
    name: str
    count: int
    first: str
    last: float = 0.0
    present: bool = False  # in the API, so that a repetition is a patch
    closing: bool = False  # it will be looked at when the series may be over


class _Saying(NamedTuple):
    """An event as it is to be written: how often it was seen by then, and in which words."""

    occurrence: _Occurrence
    written: _Written
    message: str
    times: int


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class EventSink:
    """Writes the events of a cluster, in order, a few at a time."""

    def __init__(self, clock: Clock, tasks: TaskSet) -> None:
        self.clock = clock
        self._tasks = tasks
        self._waiting: deque[_Saying] = deque()
        self._draining = False
        self._reasons: OrderedDict[tuple[str, ...], _Reasons] = OrderedDict()
        self._written: OrderedDict[tuple[str, ...], _Written] = OrderedDict()
        self._buckets: OrderedDict[tuple[str, ...], _Bucket] = OrderedDict()
        self._last_nanos = 0

    def put(self, occurrence: _Occurrence) -> None:
        """Take an event in; when too many wait, or too much is said, it is counted alone."""
        if occurrence.action:
            self._continue(occurrence)
            return
        message, key = self._combined(occurrence)
        written = _remembered(self._written, key, lambda: self._fresh(occurrence))
        written.count += 1
        if self._may_speak(occurrence):
            self._say(_Saying(occurrence, written, message, written.count))

    def _say(self, saying: _Saying) -> None:
        if len(self._waiting) >= _WAITING:
            return
        self._waiting.append(saying)
        if not self._draining:
            self._draining = True
            self._tasks.spawn("events", self._drain())

    @property
    def idle(self) -> bool:
        return not self._draining

    # Series.

    def _continue(self, occurrence: _Occurrence) -> None:
        """Say it, and say once that it was said again; how often comes when it is over."""
        key = occurrence.series_key
        known = self._written.get(key)
        if known is not None and occurrence.seconds - known.last > _FINISHED:
            del self._written[key]
        written = _remembered(self._written, key, lambda: self._fresh(occurrence))
        written.count += 1
        written.last = occurrence.seconds
        if written.count <= 2:  # the event, and the beginning of a series
            self._say(_Saying(occurrence, written, occurrence.message, written.count))
        elif not written.closing:
            written.closing = True
            self.clock.call_later(_FINISHED, self._close, key, occurrence, written)

    def _close(self, key: tuple[str, ...], occurrence: _Occurrence, written: _Written) -> None:
        left = written.last + _FINISHED - self.clock.seconds()
        if left > 0:
            self.clock.call_later(left, self._close, key, occurrence, written)
            return
        if self._written.get(key) is written:
            del self._written[key]
        at = replace(
            occurrence,
            seconds=written.last,
            stamp=format_seconds(written.last),
        )
        self._say(_Saying(at, written, occurrence.message, written.count))

    # Writing.

    async def _drain(self) -> None:
        try:
            while self._waiting:
                # Events of one kind keep their order: two of the same in a batch are written
                # one after the other.
                batch: dict[tuple[str, ...], list[_Saying]] = {}
                for _ in range(min(_TOGETHER, len(self._waiting))):
                    saying = self._waiting.popleft()
                    batch.setdefault(saying.occurrence.reason_key, []).append(saying)
                await asyncio.gather(*(self._write_all(group) for group in batch.values()))
        finally:
            self._draining = False

    async def _write_all(self, group: list[_Saying]) -> None:
        for saying in group:
            occurrence = saying.occurrence
            CAUSE.set(occurrence.cause)
            try:
                await self._write(saying)
            except ApiError as error:
                log.debug("event refused: %s: %s", occurrence.reason, error.message)
            except Exception:
                log.exception("event failed: %s", occurrence.reason)

    async def _write(self, saying: _Saying) -> None:
        written = saying.written
        if written.present:
            try:
                await self._repeat(saying)
            except NotFound:
                written.present = False  # expired meanwhile: written anew
            else:
                return
        await saying.occurrence.client.create(self._event(saying), EVENTS)
        written.present = True

    async def _repeat(self, saying: _Saying) -> None:
        occurrence = saying.occurrence
        body: Obj
        if occurrence.action:
            last = _micro(occurrence)
            body = {"series": {"count": saying.times, "lastObservedTime": last}}
        else:
            body = {
                "count": saying.times,
                "lastTimestamp": occurrence.stamp,
                "message": saying.message,
            }
        await occurrence.client.patch(
            EVENTS, _namespace(occurrence), saying.written.name, body, STRATEGIC_PATCH
        )

    def _combined(self, occurrence: _Occurrence) -> tuple[str, tuple[str, ...]]:
        """Return the message to write and the identity by which repetitions are known."""
        reasons = _remembered(self._reasons, occurrence.reason_key, _Reasons)
        if occurrence.seconds - reasons.last > _COMBINE_WITHIN:
            reasons.messages.clear()
        reasons.last = occurrence.seconds
        reasons.messages.add(occurrence.message)
        if len(reasons.messages) < _COMBINE_AFTER:
            return occurrence.message, occurrence.event_key
        # One more is as good as all: the set need not grow.
        reasons.messages.discard(occurrence.message)
        return f"(combined from similar events): {occurrence.message}", occurrence.reason_key

    def _may_speak(self, occurrence: _Occurrence) -> bool:
        now = occurrence.seconds
        bucket = _remembered(self._buckets, occurrence.object_key, lambda: _Bucket(_BURST, now))
        bucket.tokens = min(_BURST, bucket.tokens + (now - bucket.at) * _PER_SECOND)
        bucket.at = now
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True

    def _fresh(self, occurrence: _Occurrence) -> _Written:
        # Nanoseconds name the event; two in one moment must differ.
        self._last_nanos = max(int(occurrence.seconds * 1e9), self._last_nanos + 1)
        # A name has 253 characters and the suffix 17.
        name = f"{occurrence.about.get('name', '')[:236]}.{self._last_nanos:x}"
        return _Written(name, 0, occurrence.stamp)

    def _event(self, saying: _Saying) -> Obj:
        occurrence = saying.occurrence
        source = occurrence.source
        event: Obj = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": saying.written.name, "namespace": _namespace(occurrence)},
            "involvedObject": occurrence.about,
            "reason": occurrence.reason,
            "message": saying.message,
            "type": occurrence.type,
            "reportingComponent": source.get("component", ""),
        }
        if occurrence.related is not None:
            event["related"] = occurrence.related
        if occurrence.action:
            component = source.get("component", "")
            event |= {
                "source": {},
                "firstTimestamp": None,
                "lastTimestamp": None,
                "eventTime": _micro(occurrence),
                "action": occurrence.action,
                "reportingInstance": source.get("host") or component,
            }
        else:
            event |= {
                "source": source,
                "firstTimestamp": saying.written.first,
                "lastTimestamp": occurrence.stamp,
                "count": saying.times,
                "eventTime": None,
                "reportingInstance": source.get("host", ""),
            }
        return event


class Recorder:
    """Says what one component has to say. `host` is set by what runs on a node."""

    # What is said is logged too, by a logger of this name.
    klog: Klog = SILENT
    logger: str = ""

    def __init__(
        self, client: Client, component: str, clock: Clock, sink: EventSink, host: str = ""
    ) -> None:
        self._client, self._clock, self._sink = client, clock, sink
        self._source = {"component": component} | ({"host": host} if host else {})

    def named(self, component: str) -> Recorder:
        """Return who says things for another component, in the same way."""
        host = self._source.get("host", "")
        return Recorder(self._client, component, self._clock, self._sink, host)

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
        if self.klog is not SILENT:
            self._log(meant, type_, reason, message)
        self._sink.put(
            _Occurrence(
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
            )
        )

    def _log(self, about: Obj, type_: str, reason: str, message: str) -> None:
        """Log an event, as record.EventBroadcaster does."""
        namespace, name = about.get("namespace"), about.get("name", "")
        self.klog.info(
            "event.go:389",
            "Event occurred",
            *(("logger", self.logger) if self.logger else ()),
            *("object", f"{namespace}/{name}" if namespace else name),
            *("fieldPath", about.get("fieldPath", "")),
            *("kind", about.get("kind", ""), "apiVersion", about.get("apiVersion", "")),
            *("type", type_, "reason", reason, "message", message),
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


def _namespace(occurrence: _Occurrence) -> str:
    return str(occurrence.about.get("namespace") or "default")


def _micro(occurrence: _Occurrence) -> str:
    fraction = int(occurrence.seconds * 1e6) % 1_000_000
    return f"{occurrence.stamp[:-1]}.{fraction:06d}Z"


def _remembered(cache: OrderedDict[tuple[str, ...], Any], key: tuple[str, ...], make: Any) -> Any:
    """Return the entry of a key, made if need be; the least recently used are forgotten."""
    found = cache.get(key)
    if found is None:
        found = cache[key] = make()
        if len(cache) > _REMEMBERED:
            cache.popitem(last=False)
    else:
        cache.move_to_end(key)
    return found
