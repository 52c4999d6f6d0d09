"""What the log's records of an object come to: field changes, blame, text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from playground.history import blame
from playground.history.facts import actor_of
from playground.history.fields import FieldChange, changed_fields
from playground.objects.details import to_yaml

# Fields that one write lists; a creation has one entry alone.
LISTED = 40
LONGEST_VALUE = 200
# States that blame looks back over: some 50 ms of work.
STATES = 300

Record = Mapping[str, Any]


def writes(records: Sequence[Record], shown: int) -> list[dict[str, Any]]:
    """Return the writes of records (the latest first), each compared with the one before it."""
    found = []
    for position, record in enumerate(records[:shown]):
        earlier = records[position + 1] if position + 1 < len(records) else None
        found.append(_write(record, earlier))
    return found


def _write(record: Record, earlier: Record | None) -> dict[str, Any]:
    changes: list[FieldChange] = []
    before = earlier["object"] if earlier and earlier["type"] != "DELETED" else None
    if record["type"] == "MODIFIED" and before is not None:
        changes = changed_fields(before, record["object"])
    return {
        **{key: record[key] for key in ("revision", "type", "uid", "at", "trace")},
        "user": record["actor"],
        "actor": actor_of(record["actor"]),
        "manager": blame.manager_of(record["object"], before),
        "fields_changed": [field_of(change) for change in changes[:LISTED]],
        "left_out": max(0, len(changes) - LISTED),
    }


def field_of(change: FieldChange) -> dict[str, str]:
    """Return a changed field with its values as short JSON."""
    return {
        "path": change.path,
        "op": change.op,
        "before": "" if change.op == "+" else short(change.before),
        "after": "" if change.op == "-" else short(change.after),
    }


def short(value: Any) -> str:
    """Return a value as JSON, cut where it is long."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def text_of(records: Sequence[Record]) -> str:
    """Return the YAML of the newest record, "" where there is no object at it."""
    if not records or records[0]["type"] == "DELETED":
        return ""
    return to_yaml(records[0]["object"])


def blamed(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the lines of the newest record's YAML, each with the write that it comes from."""
    text = text_of(records)
    if not text:
        return []
    return [
        {
            "text": line.text,
            "path": line.path,
            "revision": line.state.revision,
            "at": line.state.at,
            "actor": actor_of(line.state.actor),
            "manager": line.state.manager,
            "trace": line.state.trace,
        }
        for line in blame.lines(_states(records), text)
    ]


def _states(records: Sequence[Record]) -> list[blame.State]:
    """Return the states of the object that is there, the oldest first."""
    found: list[blame.State] = []
    for record in reversed(records):
        if record["type"] != "MODIFIED":
            found.clear()  # what went before is another object
        if record["type"] != "DELETED":
            before = found[-1].obj if found else None
            manager = blame.manager_of(record["object"], before)
            found.append(
                blame.State(
                    record["revision"],
                    record["at"],
                    record["actor"],
                    record["trace"],
                    record["object"],
                    manager,
                )
            )
    return found
