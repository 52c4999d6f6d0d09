"""Two clusters beside each other: which objects are not the same in both. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

# As of two revisions of one cluster: playground/control_difference.py.
MOST = 2_000

Row = Sequence[str]  # resource, namespace, name, uid, digest


def compared(
    first: Iterable[Row], second: Iterable[Row], namespace: str = ""
) -> tuple[list[dict[str, Any]], bool]:
    """Return what came, went or is another in the second, and whether there is more of it.

    "changed" is the same object saying something else, as in a fork; "replaced" is another one
    of its name. namespace: "" for everything.
    """
    before, after = _by_place(first, namespace), _by_place(second, namespace)
    found = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old is not None and new is not None and old[1] == new[1]:
            continue
        resource, space, name = key
        where = {"resource": resource, "namespace": space, "name": name}
        found.append(where | {"change": _change(old, new)})
    return found[:MOST], len(found) > MOST


def _change(old: tuple[str, str] | None, new: tuple[str, str] | None) -> str:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    return "changed" if old[0] == new[0] else "replaced"


def _by_place(rows: Iterable[Row], namespace: str) -> dict[tuple[str, str, str], tuple[str, str]]:
    return {
        (resource, space, name): (uid, digest)
        for resource, space, name, uid, digest in rows
        if namespace in ("", space)
    }
