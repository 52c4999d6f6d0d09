"""The scheduler's attempts at a pod, as its user may know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playground.placement.words import event_of, forgotten, funnel, sentences
from playground.sandboxes.gateway import Gateway, Identity


def decisions(source: Gateway, cluster: str, identity: Identity, uid: str) -> dict[str, Any]:
    """Return the attempts with what they say, the latest first. Raises Refused."""
    return _attempts(source.as_user(cluster, identity, "decisions", uid))


def pod(source: Gateway, cluster: str, identity: Identity, uid: str) -> dict[str, Any]:
    """Return the same with all that is kept of them. Raises Refused."""
    return _attempts(source.as_user(cluster, identity, "scheduling", "pods", uid))


def overview(source: Gateway, cluster: str, identity: Identity, limit: str) -> dict[str, Any]:
    """Return who schedules, what waits and what was tried last. Raises Refused."""
    return source.as_user(cluster, identity, "scheduling", limit=limit)


def what_if(source: Gateway, cluster: str, identity: Identity, body: Any) -> dict[str, Any]:
    """Return an attempt that is not made, with what it says. Raises Refused."""
    found = source.post_as_user(cluster, identity, "scheduling", "what-if", body=body)
    return _told(found, found.pop("filters"))


def _attempts(found: dict[str, Any]) -> dict[str, Any]:
    filters = found.pop("filters")
    items = [_told(attempt, filters) for attempt in reversed(found["items"])]
    return {**found, "items": items, "text": "" if items else forgotten()}


def _told(attempt: dict[str, Any], filters: Sequence[str]) -> dict[str, Any]:
    """Return an attempt with its sentences."""
    steps = [{"plugin": one.plugin, "left": one.left} for one in funnel(attempt, filters)]
    return {
        **attempt,
        "event": event_of(attempt),
        "sentences": sentences(attempt, filters),
        "funnel": steps,
    }
