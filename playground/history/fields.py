"""What differs between two states of an object, field by field. Pure.

Lists whose items bear a name of their own (containers, conditions, ports, environment) are
compared by that name and not by position: an item that moves is no change, and one that comes
first does not change all the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What an item is known by, the first that each item of a list has and no two share.
_KEYS = ("name", "type", "uid", "key", "containerPort", "port", "mountPath", "ip", "topologyKey")
# These change with every write and say nothing.
QUIET = frozenset({"metadata.resourceVersion", "metadata.managedFields", "metadata.generation"})


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: "+" came, "-" went, "~" has another value."""

    path: str
    op: str
    before: Any = None
    after: Any = None


def changed_fields(old: Any, new: Any) -> list[FieldChange]:
    """Return what differs, in the order of the newer state, what went last."""
    return list(_changes(old, new, ""))


def _changes(old: Any, new: Any, path: str) -> Iterator[FieldChange]:
    if old == new or path in QUIET:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        names = [*new, *(name for name in old if name not in new)]
        yield from _members(old, new, [(name, joined(path, name)) for name in names])
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(old, new, path)
    else:
        yield FieldChange(path, "~", old, new)


def _members(
    old: Mapping[Any, Any], new: Mapping[Any, Any], names: Sequence[tuple[Any, str]]
) -> Iterator[FieldChange]:
    for name, path in names:
        if path in QUIET:
            continue
        if name not in old:
            yield FieldChange(path, "+", None, new[name])
        elif name not in new:
            yield FieldChange(path, "-", old[name], None)
        else:
            yield from _changes(old[name], new[name], path)


def _items(old: list[Any], new: list[Any], path: str) -> Iterator[FieldChange]:
    key = item_key([*old, *new])
    before, after = named(old, key), named(new, key)
    if before is None or after is None:
        key, before, after = "", dict(enumerate(old)), dict(enumerate(new))
    names = [*after, *(name for name in before if name not in after)]
    yield from _members(before, after, [(name, f"{path}[{label(key, name)}]") for name in names])


def item_key(items: Sequence[Any]) -> str:
    """Return the field that every item of a list has and may be known by, "" for none."""
    if not items or not all(isinstance(item, Mapping) for item in items):
        return ""
    return next((key for key in _KEYS if all(_scalar(item.get(key)) for item in items)), "")


def named(items: Sequence[Any], key: str) -> dict[Any, Any] | None:
    """Return a list's items by their key, None where two have the same."""
    if not key:
        return None
    found = {item[key]: item for item in items}
    return found if len(found) == len(items) else None


def label(key: str, name: Any) -> str:
    """Return how an item is called within brackets: "name=web", or its position."""
    return f"{key}={name}" if key else str(name)


def joined(path: str, name: str) -> str:
    """Return the path of a member; names with dots in them are quoted."""
    if "." in name or "/" in name:
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name


def _scalar(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
