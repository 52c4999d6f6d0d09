"""Lists that are sets or maps: no two items are equal, no two have the same keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from apimachinery.meta import Obj
from apimachinery.structural.schema import Structural
from apimachinery.validation.field import FieldErrors, Path, duplicate, invalid

_NOT_AN_OBJECT = "must be an object for an array of list-type map"


def list_errors(value: Any, schema: Structural | None, path: Path | None = None) -> FieldErrors:
    """Yield the items that are there before, in every list of the value that is a set or a map."""
    if schema is None or not schema.keyed:
        return
    where = path or Path("")
    if isinstance(value, dict):
        for name, part in value.items():
            if name in schema.properties:
                yield from list_errors(part, schema.properties[name], where / name)
            elif schema.additional is not None:
                yield from list_errors(part, schema.additional, where.key(name))
    elif isinstance(value, list):
        if schema.list_type == "set":
            yield from _repeated(value, value, where)
        elif schema.list_type == "map":
            yield from _map_errors(value, schema.list_keys, where)
        for at, item in enumerate(value):
            yield from list_errors(item, schema.items, where[at])


def _map_errors(items: list[Any], names: tuple[str, ...], path: Path) -> FieldErrors:
    for at, item in enumerate(items):
        if item is not None and not isinstance(item, dict):
            yield invalid(path[at], item, _NOT_AN_OBJECT)
            return
    keys = [_key(item or {}, names) for item in items]
    yield from _repeated(keys, keys, path)


def _key(item: Obj, names: tuple[str, ...]) -> Obj:
    return {name: item[name] for name in names if name in item}


def _repeated(keys: Iterable[Any], shown: list[Any], path: Path) -> FieldErrors:
    """Yield the second appearance of each key; those after it say nothing new."""
    seen: dict[bytes, int] = {}
    for at, key in enumerate(keys):
        text = orjson.dumps(key, option=orjson.OPT_SORT_KEYS)
        seen[text] = seen.get(text, 0) + 1
        if seen[text] == 2:
            yield duplicate(path[at], shown[at])
