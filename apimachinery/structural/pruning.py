"""Pruning: a value without the fields that its schema does not have.

`pruned` copies and prunes in one walk, so that the result is private and what was left out is
known by its path ("spec.items[0].x").
"""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj
from apimachinery.structural.schema import TYPE_META, Structural


def pruned(value: Any, schema: Structural | None) -> tuple[Any, list[str]]:
    """Return a new value with the fields of the schema alone, and the paths of all others."""
    unknown: list[str] = []
    return _walk(value, schema, "", unknown), sorted(unknown)


def _walk(value: Any, schema: Structural | None, path: str, unknown: list[str]) -> Any:
    if value.__class__ is dict:
        if schema is None:
            unknown += [_join(path, name) for name in value]
            return {}
        return _fields(value, schema, path, unknown)
    if value.__class__ is list:
        if schema is not None and schema.open:
            return [_item(item, schema, f"{path}[{at}]", unknown) for at, item in enumerate(value)]
        items = schema.items if schema is not None else None
        return [_walk(item, items, f"{path}[{at}]", unknown) for at, item in enumerate(value)]
    return value


def _item(item: Any, schema: Structural, path: str, unknown: list[str]) -> Any:
    """Return an item of a list that may hold anything: known parts of it are pruned still."""
    return copied(item) if schema.items is None else _open_walk(item, schema.items, path, unknown)


def _open_walk(value: Any, schema: Structural, path: str, unknown: list[str]) -> Any:
    if value.__class__ is dict:
        return _fields(value, schema, path, unknown, keep=True)
    if value.__class__ is list:
        return [_item(item, schema, f"{path}[{at}]", unknown) for at, item in enumerate(value)]
    return value


def _fields(
    value: Obj, schema: Structural, path: str, unknown: list[str], *, keep: bool = False
) -> Obj:
    out: Obj = {}
    known, keep = schema.properties, keep or schema.open
    for name, part in value.items():
        if schema.embedded and name in TYPE_META:
            out[name] = copied(part)
        elif name in known:
            out[name] = _walk(part, known[name], _join(path, name), unknown)
        elif not schema.closed:
            if keep and schema.additional is None:
                out[name] = copied(part)
            else:
                out[name] = _walk(part, schema.additional, _join(path, name), unknown)
        elif keep:
            out[name] = copied(part)
        else:
            unknown.append(_join(path, name))
    return out


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def copied(value: Any) -> Any:
    """Return a JSON value that shares no container with the one given."""
    if value.__class__ is dict:
        return {name: copied(part) for name, part in value.items()}
    if value.__class__ is list:
        return [copied(part) for part in value]
    return value
