"""StorageVersions as they are after other servers have said how they store."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.meta import Obj
from apimachinery.storageversions import ALL_EQUAL, common_version
from nodes.controllers.common.conditions import condition, put_in_place


def with_servers(storage_version: Obj, servers: Sequence[Obj], now: str) -> Obj:
    """Return a StorageVersion in which these servers, and no others, say how they store.

    servers: ServerStorageVersions; now: the time, as the API writes it.
    """
    old = storage_version.get("status") or {}
    before, common = old.get("commonEncodingVersion"), common_version(servers)
    is_so, state = ("True", "set") if common is not None else ("False", "unset")
    reason = f"CommonEncodingVersion{state.capitalize()}"
    told = condition(ALL_EQUAL, is_so, reason, f"Common encoding version {state}", now)
    # Another common version than before is a transition, too.
    moved = bool(before and common and before != common)
    conditions = [
        told if one["type"] == ALL_EQUAL and (moved or not one["lastTransitionTime"]) else one
        for one in put_in_place(old.get("conditions"), told)
    ]
    said = {} if common is None else {"commonEncodingVersion": common}
    status = {"storageVersions": list(servers), **said, "conditions": conditions}
    return {**storage_version, "status": status}
