"""EventRateLimit: events come no faster than the configuration allows.

Each limit is a bucket that holds `burst` requests and fills with `qps` a second: one for the
whole server, or one for each namespace, user, or source and object, the last used of which are
remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from apimachinery.clock import Clock
from apimachinery.errors import TooManyRequests
from apimachinery.meta import Obj
from apiserver.admission.configuration import EventLimit
from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, Rule

_ABOUT = ("kind", "namespace", "name", "uid", "apiVersion")


@dataclass(slots=True)
class _Bucket:
    level: float
    filled: float


@dataclass(slots=True)
class _Enforcer:
    limit: EventLimit
    buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    def refusal(self, request: AdmissionRequest, now: float) -> str:
        """Take one from the request's bucket; say that it is empty."""
        key, limit = _KEYS[self.limit.type](request), self.limit
        bucket = self.buckets.get(key)
        if bucket is None:
            bucket = self.buckets[key] = _Bucket(limit.burst, now)
            if len(self.buckets) > limit.cache_size:
                self.buckets.popitem(last=False)
        self.buckets.move_to_end(key)
        bucket.level = min(limit.burst, bucket.level + (now - bucket.filled) * limit.qps)
        bucket.filled = now
        if bucket.level < 1:
            return f"limit reached on type {limit.type} for key {key}"
        bucket.level -= 1
        return ""


class EventRateLimit:
    """Refuses events beyond a limit with 429."""

    name = "EventRateLimit"
    handles = Rule(("events", "events.events.k8s.io"), (CREATE, UPDATE))

    def __init__(self, limits: Sequence[EventLimit], clock: Clock) -> None:
        self._enforcers = [_Enforcer(limit) for limit in limits]
        self._clock = clock

    def validate(self, request: AdmissionRequest) -> None:
        if request.dry_run:
            return
        now = self._clock.seconds()
        # Every limit counts the event, so that one that refuses takes nothing off another.
        found = [why for each in self._enforcers if (why := each.refusal(request, now))]
        if found:
            told = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
            raise TooManyRequests(told)


def _source_and_object(request: AdmissionRequest) -> str:
    return "".join(_parts(request.object or {}))


def _parts(event: Obj) -> Iterator[str]:
    source = event.get("source") or {}
    about = event.get("involvedObject") or event.get("regarding") or {}
    yield source.get("component") or ""
    yield source.get("host") or ""
    for part in _ABOUT:
        yield about.get(part) or ""


_KEYS: dict[str, Callable[[AdmissionRequest], str]] = {
    "Server": lambda _request: "",
    "Namespace": lambda request: request.namespace,
    "User": lambda request: request.user.name,
    "SourceAndObject": _source_and_object,
}
