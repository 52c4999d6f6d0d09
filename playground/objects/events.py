"""The events about an object, and the warning among them that says why it stands as it does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from playground.objects import facts
from playground.objects.reading import Reader
from playground.objects.summary.parts import Part, Sentence

# How a sentence stands that wants a reason.
TROUBLED = ("bad", "waiting")


def explained(parts: list[Part], asked: Reader, found: dict[str, Any]) -> list[Part]:
    """Return a summary whose trouble is told in the API's words: its own, or the last warning's."""
    for at, part in enumerate(parts):
        if not isinstance(part, Sentence) or part.verbatim or part.state not in TROUBLED:
            continue
        warned = [one for one in about(asked, found) if one.get("type") == "Warning"]
        words = f"{warned[0].get('reason')}: {warned[0].get('message')}" if warned else ""
        return [*parts[:at], replace(part, verbatim=words), *parts[at + 1 :]]
    return parts


def about(asked: Reader, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an object's events, the latest first, each with when (`at`) and from whom."""
    meta = found.get("metadata") or {}
    selector = f"involvedObject.uid={meta.get('uid', '')}"
    items = [
        dict(one) for one in asked.items("events", facts.namespace(found), fieldSelector=selector)
    ]
    for event in items:
        series = event.get("series") or {}
        event["at"] = (
            event.get("lastTimestamp")
            or series.get("lastObservedTime")
            or event.get("eventTime")
            or event["metadata"].get("creationTimestamp")
        )
        event["from"] = (event.get("source") or {}).get("component") or event.get(
            "reportingComponent", ""
        )
    return sorted(items, key=lambda event: str(event["at"]), reverse=True)
