"""Who wrote each line of an object's YAML last. Pure: from the states of the object, oldest first.

A line belongs to the first state that has had its value without a break since. Items of lists
are followed by their names, as in `fields`. What lies before the oldest state that is known is of
that state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from playground.history.fields import item_key, joined, label, named


@dataclass(frozen=True, slots=True)
class State:
    """An object after one write."""

    revision: int
    at: float
    actor: str
    trace: str
    obj: Mapping[str, Any]
    manager: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of YAML, and the write that it comes from."""

    text: str
    path: str
    state: State


def lines(states: Sequence[State], text: str) -> list[Line]:
    """Return the lines of the newest state's YAML, each with the write that it comes from.

    A line that only opens a structure is as old as the newest of what is below it.
    """
    newest = states[-1]
    marks = _Marks(_origins(states), newest)
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    if root is not None:
        marks.mark(root, newest.obj, "")
    found, last = [], ("", newest)
    for number, line in enumerate(text.splitlines()):
        last = marks.of_lines.get(number, last)
        found.append(Line(line, *last))
    return found


def _origins(states: Sequence[State]) -> dict[str, State]:
    """Return the write that each field of the newest state comes from."""
    values: dict[str, Any] = {}
    origins: dict[str, State] = {}
    for state in states:
        now = dict(leaves(state.obj, ""))
        for path, value in now.items():
            if path not in values or values[path] != value:
                origins[path] = state
        for path in values.keys() - now.keys():
            del origins[path]
        values = now
    return origins


class _Marks:
    """Finds the path and the write of what begins on each line."""

    def __init__(self, origins: Mapping[str, State], newest: State) -> None:
        self._origins, self._newest = origins, newest
        self.of_lines: dict[int, tuple[str, State]] = {}

    def mark(self, node: yaml.Node, value: Any, path: str) -> State | None:
        """Note the lines of a node; return the newest write below it."""
        if isinstance(node, yaml.MappingNode) and node.value:
            below = [
                self._member(
                    key.start_mark.line, part, value.get(key.value), joined(path, key.value)
                )
                for key, part in node.value
            ]
        elif isinstance(node, yaml.SequenceNode) and node.value:
            below = [
                self._member(part.start_mark.line, part, item, at)
                for part, (at, item) in zip(node.value, items_of(value, path), strict=True)
            ]
        else:
            return self._scalar(node, path)
        return max(filter(None, below), key=lambda state: state.revision, default=None)

    def _member(self, line: int, node: yaml.Node, value: Any, path: str) -> State | None:
        state = self.mark(node, value, path)
        # Of what begins on one line the innermost has been noted first.
        self.of_lines.setdefault(line, (path, state or self._newest))
        return state

    def _scalar(self, node: yaml.Node, path: str) -> State | None:
        state = self._origins.get(path)
        if state is not None:
            for line in range(node.start_mark.line, node.end_mark.line):
                self.of_lines.setdefault(line, (path, state))
        return state


def manager_of(new: Mapping[str, Any], old: Mapping[str, Any] | None) -> str:
    """Return the field manager that a write was made under, "" where it cannot be told.

    Who loses a field to it has another entry too, but of the old time and with less in it.
    """
    before = {_identity(one): one for one in _managed(old)} if old is not None else {}
    changed = [one for one in _managed(new) if before.get(_identity(one)) != one]

    def gained(one: Mapping[str, Any]) -> bool:
        known = before.get(_identity(one), {})
        return known.get("time") != one.get("time") or len(str(one)) > len(str(known))

    writer = next((one for one in changed if gained(one)), next(iter(changed), {}))
    return str(writer.get("manager") or "")


def _identity(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(entry.get(name) for name in ("manager", "operation", "apiVersion", "subresource"))


def _managed(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return (obj.get("metadata") or {}).get("managedFields") or []


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the paths and values of an object's scalars and empty structures."""
    if isinstance(value, Mapping) and value:
        for name, member in value.items():
            below = joined(path, str(name))
            if below != "metadata.managedFields":
                yield from leaves(member, below)
    elif isinstance(value, list) and value:
        for below, item in items_of(value, path):
            yield from leaves(item, below)
    else:
        yield path, value


def items_of(items: Sequence[Any], path: str) -> Iterator[tuple[str, Any]]:
    """Yield the paths and values of a list's items."""
    key = item_key(items)
    known = named(items, key)
    if known is None:
        key, known = "", dict(enumerate(items))
    for name, item in known.items():
        yield f"{path}[{label(key, name)}]", item
