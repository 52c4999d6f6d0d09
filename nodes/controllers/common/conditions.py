"""Lists of conditions as values: each change gives a new list, nothing is changed in place."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.meta import Obj


def find(conditions: Sequence[Obj] | None, type_: str) -> Obj | None:
    return next((one for one in conditions or () if one.get("type") == type_), None)


def is_true(conditions: Sequence[Obj] | None, type_: str) -> bool:
    found = find(conditions, type_)
    return found is not None and found.get("status") == "True"


def without(conditions: Sequence[Obj] | None, type_: str) -> list[Obj]:
    return [one for one in conditions or () if one.get("type") != type_]


def condition(type_: str, status: str, reason: str, message: str, at: str) -> Obj:
    """Build a condition that became so at `at`."""
    return {
        "type": type_,
        "status": status,
        "lastTransitionTime": at,
        "reason": reason,
        "message": message,
    }


def put_last(conditions: Sequence[Obj] | None, new: Obj) -> list[Obj]:
    """Set a condition as the workload controllers do.

    With the same status and reason nothing changes, message included; otherwise the new one goes
    to the end and keeps the time of the last transition if the status is the same.
    """
    old = find(conditions, new["type"])
    if old is not None and old.get("status") == new["status"]:
        if old.get("reason") == new.get("reason"):
            return list(conditions or ())
        new = {**new, "lastTransitionTime": old.get("lastTransitionTime")}
    return [*without(conditions, new["type"]), new]


def put_in_place(conditions: Sequence[Obj] | None, new: Obj) -> list[Obj]:
    """Set a condition where it stands, as meta.SetStatusCondition and the namespace do."""
    result = list(conditions or ())
    for index, old in enumerate(result):
        if old.get("type") == new["type"]:
            if old.get("status") == new["status"]:
                new = {**new, "lastTransitionTime": old.get("lastTransitionTime")}
            result[index] = {**old, **new}
            return result
    return [*result, new]
