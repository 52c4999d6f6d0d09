"""An object that is not there: who deleted it, what took its place, and which names are close.

On a page of the past: what was so at its revision, and when the object came later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from django.utils.formats import date_format

from playground.history.facts import actor_of
from playground.objects import facts
from playground.objects.discovery import Resource
from playground.objects.reading import METADATA, Object, Reader
from playground.sandboxes.gateway import Refused

LOOKED_AT = "2000"
REPLACEMENTS = 3
ELSEWHERE = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where the object was."""

    reader: Reader
    resource: Resource
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Gone:
    """What is known of a deletion."""

    kind: str
    name: str
    time: str
    by: str
    # The last revision at which it was there.
    revision: int
    trace: str
    replacements: tuple[str, ...]
    # Another object has its name now.
    again: bool


def closest(place: Place) -> list[str]:
    """Return names like the one that does not exist."""
    path = place.resource.path(place.namespace)
    try:
        items = place.reader.get(path, METADATA, limit=LOOKED_AT).get("items") or []
    except Refused:
        return []
    return get_close_matches(place.name, [facts.name(item) for item in items], n=3, cutoff=0.5)


def elsewhere(place: Place) -> list[str]:
    """Return the other namespaces in which there is an object of this name."""
    if not place.resource.namespaced:
        return []
    path = place.resource.path("")
    try:
        found = place.reader.get(path, METADATA, fieldSelector=f"metadata.name={place.name}")
    except Refused:
        return []
    spaces = sorted(facts.namespace(item) for item in found.get("items") or ())
    return [one for one in spaces if one != place.namespace][:ELSEWHERE]


def of(place: Place, uid: str = "") -> Gone | None:
    """Return who deleted the object and when, None where the log does not tell."""
    record = _deletion(place, uid)
    if record is None:
        return None
    now = place.reader.maybe(place.resource.path(place.namespace, place.name))
    at = datetime.fromtimestamp(float(record["at"]), UTC)
    return Gone(
        kind=place.resource.kind,
        name=place.name,
        time=date_format(at, "H:i:s"),
        by=actor_of(str(record.get("actor") or "")),
        revision=int(record["revision"]) - 1,
        trace=str(record.get("trace") or ""),
        replacements=tuple(_replacements(place, record.get("object") or {})),
        again=now is not None,
    )


def born(place: Place) -> int:
    """Return the revision at which an object of this name came next; 0: none did."""
    rev = place.reader.rev
    made = [one["revision"] for one in records(place) if one["type"] == "ADDED"]
    return min((one for one in made if rev is not None and one > rev), default=0)


def _deletion(place: Place, uid: str) -> dict[str, Any] | None:
    rev = place.reader.rev
    until = {} if rev is None else {"before": str(rev + 1)}
    for record in records(place, **until):
        if record["type"] == "DELETED" and uid in ("", record.get("uid")):
            return dict(record)
    return None


def records(place: Place, **params: str) -> list[dict[str, Any]]:
    """Return the writes of the object, the latest first; none where one may not read it."""
    reader = place.reader
    try:
        found = reader.gateway.history(
            reader.cluster.name,
            reader.identity,
            "/object",
            resource=place.resource.title,
            namespace=place.namespace,
            name=place.name,
            **params,
        )
    except Refused:
        return []
    return list(found["items"])


def _replacements(place: Place, item: Object) -> list[str]:
    """Return what the same controller has made since it was asked to go, the newest first."""
    owner = facts.controller(item)
    if owner is None:
        return []
    siblings = facts.owned_by(
        place.reader.items(place.resource.title, place.namespace, metadata=True),
        {str(owner.get("uid"))},
    )
    left = _asked_to_go(item)
    later = [one for one in siblings if str(facts.meta(one).get("creationTimestamp")) >= left]
    later.sort(key=lambda one: str(facts.meta(one).get("creationTimestamp")), reverse=True)
    return [facts.name(one) for one in later if facts.name(one) != place.name][:REPLACEMENTS]


def _asked_to_go(item: Object) -> str:
    """Return when a deletion was asked for; what went at once may be replaced by its siblings."""
    meta = facts.meta(item)
    asked = str(meta.get("deletionTimestamp") or "")
    if not asked:
        return str(meta.get("creationTimestamp") or "")
    grace = timedelta(seconds=int(meta.get("deletionGracePeriodSeconds") or 0))
    return (datetime.fromisoformat(asked) - grace).strftime("%Y-%m-%dT%H:%M:%SZ")
