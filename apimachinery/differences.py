"""What differs between two objects, field by field: what people are shown of a change.

Paths are those of Kubernetes' own messages ("spec.containers[web].image"). Items of a list are
told apart by what Kubernetes knows them by (a name, a type, a port), else by their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

_KEYS = ("name", "type", "mountPath", "containerPort", "port", "uid", "ip", "key")


class Difference(NamedTuple):
    """A field that was added (`before` is None), removed (`after` is None) or changed."""

    path: str
    before: Any
    after: Any


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Yield what has to change for `before` to be `after`, in the order of fields."""
    if before == after and type(before) is type(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_maps(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    else:
        yield Difference(path, before, after)


def _of_maps(before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[Difference]:
    for name in [*before, *(name for name in after if name not in before)]:
        plain = name.replace("-", "").replace("_", "").isalnum()
        inner = f"{path}.{name}" if path and plain else name if plain else f"{path}[{name}]"
        if name not in after:
            yield Difference(inner, before[name], None)
        elif name not in before:
            yield Difference(inner, None, after[name])
        else:
            yield from differences(before[name], after[name], inner)


def _of_lists(before: list[Any], after: list[Any], path: str) -> Iterator[Difference]:
    key = _key_of(before, after)
    old = {str(item[key] if key else at): item for at, item in enumerate(before)}
    new = {str(item[key] if key else at): item for at, item in enumerate(after)}
    for name in [*old, *(name for name in new if name not in old)]:
        inner = f"{path}[{name}]"
        if name not in new:
            yield Difference(inner, old[name], None)
        elif name not in old:
            yield Difference(inner, None, new[name])
        else:
            yield from differences(old[name], new[name], inner)


def _key_of(before: list[Any], after: list[Any]) -> str:
    """Return the field that tells the items apart, "" where it is their place."""
    for key in _KEYS:
        if all(
            isinstance(item, dict) and isinstance(item.get(key), str | int)
            for item in (*before, *after)
        ) and all(len({item[key] for item in part}) == len(part) for part in (before, after)):
            return key
    return ""
