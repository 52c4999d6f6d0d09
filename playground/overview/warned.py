"""Warning events, added up by reason: how often, what they are about, and what was said last. Pure.

An event about an object is written again with a higher count when it happens again, so that counts
are of happenings, not of events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Obj: TypeAlias = Mapping[str, Any]
Place: TypeAlias = tuple[str, str, str, str]  # apiVersion, kind, namespace, name


@dataclass(slots=True)
class Warned:
    """All warnings of one reason."""

    reason: str
    count: int = 0
    last: str = ""
    message: str = ""
    # What they are about, with the time of the last of each.
    objects: dict[Place, str] = field(default_factory=dict)

    def add(self, event: Obj) -> None:
        when = time_of(event)
        self.count += count_of(event)
        if when >= self.last:
            self.last, self.message = when, str(event.get("message") or "")
        about = event.get("involvedObject") or {}
        keys = ("apiVersion", "kind", "namespace", "name")
        version, kind, namespace, name = (str(about.get(key) or "") for key in keys)
        place = (version, kind, namespace, name)
        self.objects[place] = max(when, self.objects.get(place, ""))

    def latest(self, limit: int) -> list[Place]:
        """Return what was warned of last."""
        return sorted(self.objects, key=lambda place: self.objects[place], reverse=True)[:limit]


def by_reason(events: Iterable[Obj]) -> list[Warned]:
    """Return the warnings of some events by reason, the reason that came last first."""
    found: dict[str, Warned] = {}
    for event in events:
        reason = str(event.get("reason") or "")
        found.setdefault(reason, Warned(reason)).add(event)
    return sorted(found.values(), key=lambda one: (one.last, one.count), reverse=True)


def count_of(event: Obj) -> int:
    """Return how often what an event tells has happened."""
    series = event.get("series") or {}
    for count in (series.get("count"), event.get("count")):
        if isinstance(count, int) and count > 0:
            return count
    return 1


def time_of(event: Obj) -> str:
    """Return when it happened last, to the second, so that moments of both forms compare."""
    series = event.get("series") or {}
    meta = event.get("metadata") or {}
    when = (
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or meta.get("creationTimestamp")
    )
    return f"{str(when)[:19]}Z" if when else ""
