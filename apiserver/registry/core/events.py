"""Events: what happened to an object, told by whoever did it.

They are stored as v1; `to_events_v1` and `from_events_v1` turn them into the form in which
events.k8s.io/v1 serves the same objects, and back.
"""

from __future__ import annotations

from typing import Any

from apimachinery.duration import translate_timestamp_since
from apimachinery.gvk import CORE_V1, GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    invalid,
    required,
)
from apimachinery.validation.names import is_path_segment, is_qualified_name
from apiserver.registry.podspec.checks import IMMUTABLE, obey
from apiserver.registry.resource import Column, Resource, ServedVersion
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import dig, field

_MAX_NAME = 128  # of actions, reasons and reporting instances
_MAX_NOTE = 1024
_LEAST_SERIES = 2
EVENTS_V1 = "events.k8s.io/v1"


class EventStrategy(Strategy):
    """An event without eventTime is of the older form, of which little is asked."""

    allow_create_on_update = True
    # Any name will do: events were never checked, and clients count on it.
    name_rule = staticmethod(is_path_segment)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from event_errors(obj, "reportingComponent")

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from event_errors(new, "reportingComponent")


class EventsV1Strategy(EventStrategy):
    """What comes through events.k8s.io/v1 is of the newer form, and only its series changes."""

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from event_errors(obj, "reportingController")
        if not obj.get("eventTime"):
            yield required(Path("eventTime"))
        yield from _series_errors(obj)
        if obj.get("type") not in ("Normal", "Warning"):
            yield invalid(Path("type"), "", f"has invalid value: {obj.get('type') or ''}")
        for key in ("firstTimestamp", "lastTimestamp", "count", "source"):
            if obj.get(key):
                yield invalid(Path(key), "", "needs to be unset")

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from event_errors(new, "reportingController")
        if new.get("series") != old.get("series"):
            yield from _series_errors(new)
        for key in _FROZEN:
            if (new.get(key) or None) != (old.get(key) or None):
                yield invalid(Path(_BACK_NAMES.get(key, key)), new.get(key) or "", IMMUTABLE)


_FROZEN = (
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "type",
    "eventTime",
    "action",
    "related",
    "reportingComponent",
    "reportingInstance",
)
_BACK_NAMES = {"reportingComponent": "reportingController"}


def event_errors(obj: Obj, reporter_field: str) -> FieldErrors:
    """Yield what is wrong with an event of either form."""
    own = obj["metadata"].get("namespace") or ""
    involved = (obj.get("involvedObject") or {}).get("namespace") or ""
    mismatch = invalid(
        Path("involvedObject") / "namespace", involved, "does not match event.namespace"
    )
    if obj.get("eventTime"):
        if not involved and own not in ("default", "kube-system"):
            yield mismatch
        yield from _reporter_errors(obj, reporter_field)
    elif own != (involved or "default"):
        yield mismatch


def _reporter_errors(obj: Obj, reporter_field: str) -> FieldErrors:
    reporter = obj.get("reportingComponent") or ""
    if not reporter:
        yield required(Path(reporter_field))
    yield from obey(is_qualified_name, reporter, Path(reporter_field))
    for key in ("reportingInstance", "action", "reason"):
        value = obj.get(key) or ""
        if not value:
            yield required(Path(key))
        if len(value.encode()) > _MAX_NAME:
            yield invalid(Path(key), "", f"can have at most {_MAX_NAME} characters")
    if len((obj.get("message") or "").encode()) > _MAX_NOTE:
        yield invalid(Path("message"), "", f"can have at most {_MAX_NOTE} characters")


def _series_errors(obj: Obj) -> FieldErrors:
    series = obj.get("series")
    if series is None:
        return
    if (series.get("count") or 0) < _LEAST_SERIES:
        yield invalid(Path("series.count"), "", "should be at least 2")
    if not series.get("lastObservedTime"):
        yield required(Path("series.lastObservedTime"))


# v1 field -> events.k8s.io/v1 field, where the names differ.
_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_BACK = {new: old for old, new in _NAMES.items()}


def to_events_v1(event: Obj) -> Obj:
    """Return a stored event as events.k8s.io/v1 shows it; the values are shared."""
    shown = {_NAMES.get(key, key): value for key, value in event.items()}
    shown["apiVersion"] = EVENTS_V1
    return shown


def from_events_v1(event: Obj) -> Obj:
    """Return an event of events.k8s.io/v1 as it is stored; the values are shared."""
    stored = {_BACK.get(key, key): value for key, value in event.items()}
    stored["apiVersion"] = "v1"
    return stored


def _last_seen(obj: Obj, now: float) -> str:
    last = (obj.get("series") or {}).get("lastObservedTime")
    shown = last or obj.get("lastTimestamp") or _first(obj)
    return _ago(shown, now)


def _first_seen(obj: Obj, now: float) -> str:
    return _ago(_first(obj), now)


def _first(obj: Obj) -> str | None:
    return obj.get("firstTimestamp") or obj.get("eventTime")


def _ago(timestamp: str | None, now: float) -> str:
    return translate_timestamp_since(timestamp, now) if timestamp else "<unknown>"


def _count(obj: Obj, now: float) -> int:
    series = obj.get("series")
    if series:
        return series.get("count") or 0
    return obj.get("count") or 1


def _object(obj: Obj, now: float) -> str:
    involved = obj.get("involvedObject") or {}
    return f"{(involved.get('kind') or '').lower()}/{involved.get('name') or ''}"


def _source(obj: Obj, now: float) -> str:
    source = obj.get("source") or {}
    component = source.get("component") or obj.get("reportingComponent") or ""
    host = source.get("host") or obj.get("reportingInstance") or ""
    if not source.get("component") and not source.get("host"):
        return f"{component}, {host}" if host else component
    return f"{component}, {source['host']}" if source.get("host") else component


def _message(obj: Obj, now: float) -> str:
    return (obj.get("message") or "").strip()


COLUMNS = (
    Column("Last Seen", _last_seen),
    Column("Type", field("type")),
    Column("Reason", field("reason")),
    Column("Object", _object),
    Column("Subobject", field("involvedObject.fieldPath"), priority=1),
    Column("Source", _source, priority=1),
    Column("Message", _message),
    Column("First Seen", _first_seen, priority=1),
    Column("Count", _count, priority=1),
    Column("Name", field("metadata.name"), format="name", priority=1),
)


def _selects(path: str) -> Any:
    parts = tuple(path.split("."))

    def read(obj: Obj) -> str:
        return str(dig(obj, parts) or "")

    return read


def _selected_source(obj: Obj) -> str:
    return (obj.get("source") or {}).get("component") or obj.get("reportingComponent") or ""


SELECTABLE = {
    **{
        f"involvedObject.{key}": _selects(f"involvedObject.{key}")
        for key in (
            "kind",
            "namespace",
            "name",
            "uid",
            "apiVersion",
            "resourceVersion",
            "fieldPath",
        )
    },
    "reason": _selects("reason"),
    "reportingComponent": _selects("reportingComponent"),
    "source": _selected_source,
    "type": _selects("type"),
}

# events.k8s.io/v1 selects by its own names alone; there is no source any more, but for selectors.
_EVENTS_V1_LABELS = {
    path.replace("involvedObject", "regarding").replace("Component", "Controller"): path
    for path in SELECTABLE
}

EVENTS = Resource(
    kind=CORE_V1.kind("Event"),
    plural="events",
    short=("ev",),
    strategy=EventStrategy(),
    selectable=SELECTABLE,
    columns=COLUMNS,
    versions=(
        ServedVersion(
            kind=GroupVersionKind("events.k8s.io", "v1", "Event"),
            to_storage=from_events_v1,
            from_storage=to_events_v1,
            strategy=EventsV1Strategy(),
            field_labels=_EVENTS_V1_LABELS,
        ),
    ),
)
