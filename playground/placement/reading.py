"""The scheduler's attempts at a pod, as its user may know them."""

from __future__ import annotations

from typing import Any

from playground.placement.words import event_of, forgotten, funnel, sentences
from playground.sandboxes.gateway import Gateway, Identity


def decisions(source: Gateway, cluster: str, identity: Identity, uid: str) -> dict[str, Any]:
    """Return the attempts with what they say, the latest first. Raises Refused."""
    found = source.as_user(cluster, identity, "decisions", uid)
    filters = found.pop("filters")
    items = [
        {
            **attempt,
            "event": event_of(attempt),
            "sentences": sentences(attempt, filters),
            "funnel": [
                {"plugin": one.plugin, "left": one.left} for one in funnel(attempt, filters)
            ],
        }
        for attempt in reversed(found["items"])
    ]
    return {**found, "items": items, "text": "" if items else forgotten()}
