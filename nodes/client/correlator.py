"""What becomes of events that are much alike, as client-go has it: the same again raises a count,
ten and more different messages for one reason are combined, and a source may say 25 things of an
object at once and then one in five minutes; what is held back is counted.

An event with an action (tools/events) that comes again begins a series instead, whose count is
written every half hour, and once more when it has been silent for six minutes. Nothing here waits
or writes. What is remembered of earlier events is that of a whole cluster, where client-go keeps as
much for each component: who has forgotten an event begins a new one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import NAMESPACE_OID, uuid5

from apimachinery.validation.names import is_dns1123_subdomain
from nodes.client.occurrences import Key, Occurrence, Saying, Written

T = TypeVar("T")

# client-go's numbers: record/events_cache.go.
_COMBINE_AFTER = 10  # different messages of one reason
_COMBINE_WITHIN = 600.0  # seconds between two of them
_BURST, _PER_SECOND = 25.0, 1.0 / 300.0
_REMEMBERED = 4096
# tools/events/event_broadcaster.go: silence that ends a series, and how often it is written else.
FINISHED, REFRESHED = 360.0, 1800.0


@dataclass(slots=True)
class _Reasons:
    messages: set[str] = field(default_factory=set)
    last: float = 0.0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Correlator:
    """Remembers what was said lately, and decides what is to be said now."""

    def __init__(self) -> None:
        self._reasons: OrderedDict[Key, _Reasons] = OrderedDict()
        self._written: OrderedDict[Key, Written] = OrderedDict()
        self._buckets: OrderedDict[Key, _Bucket] = OrderedDict()
        self._last_nanos = 0

    def alone(self, occurrence: Occurrence) -> Saying:
        """Return what would be written of an event that is not to be remembered."""
        return Saying(occurrence, self._fresh(occurrence), occurrence.message, 1)

    def observe(self, occurrence: Occurrence) -> Saying | None:
        """Return what to write of an event, None where it is counted alone."""
        message, key = self._combined(occurrence)
        written = _remembered(self._written, key, lambda: self._fresh(occurrence))
        written.count += 1
        if not self._may_speak(occurrence):
            return None
        return Saying(occurrence, written, message, written.count)

    def observe_series(self, occurrence: Occurrence) -> tuple[Written, Saying | None]:
        """Return the series of an event, and what to write: that it began, and that it goes on."""
        key = occurrence.series_key
        known = self._written.get(key)
        if known is not None and occurrence.seconds - known.last > FINISHED:
            del self._written[key]
        written = _remembered(self._written, key, lambda: self._fresh(occurrence))
        written.count += 1
        written.last = occurrence.seconds
        if written.count > 2:
            return written, None
        written.told = occurrence.seconds
        return written, Saying(occurrence, written, occurrence.message, written.count)

    def close_series(self, occurrence: Occurrence, written: Written) -> None:
        """Let the next event of a series be the first of another one."""
        if self._written.get(occurrence.series_key) is written:
            del self._written[occurrence.series_key]

    def _combined(self, occurrence: Occurrence) -> tuple[str, Key]:
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

    def _may_speak(self, occurrence: Occurrence) -> bool:
        now = occurrence.seconds
        bucket = _remembered(self._buckets, occurrence.object_key, lambda: _Bucket(_BURST, now))
        bucket.tokens = min(_BURST, bucket.tokens + (now - bucket.at) * _PER_SECOND)
        bucket.at = now
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True

    def _fresh(self, occurrence: Occurrence) -> Written:
        # Nanoseconds name the event; two in one moment must differ.
        self._last_nanos = max(int(occurrence.seconds * 1e9), self._last_nanos + 1)
        name = f"{occurrence.about.get('name', '')}.{self._last_nanos:x}"
        if is_dns1123_subdomain(name):
            # That of an IPv6 address, say, or one that the moment makes too long.
            name = str(uuid5(NAMESPACE_OID, name))
        return Written(name, 0, occurrence.stamp)


def _remembered(cache: OrderedDict[Key, T], key: Key, make: Callable[[], T]) -> T:
    """Return the entry of a key, made if need be; the least recently used are forgotten."""
    found = cache.get(key)
    if found is None:
        found = cache[key] = make()
        if len(cache) > _REMEMBERED:
            cache.popitem(last=False)
    else:
        cache.move_to_end(key)
    return found
