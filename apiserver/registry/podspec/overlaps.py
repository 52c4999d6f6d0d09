"""Warnings about files of one volume that are in each other's way.

Two items of a volume may have the same path, or one the path of a folder of the other; the kubelet
could not write both. The comparison is Kubernetes' own: it takes `ab` to be below `a` as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from apimachinery.meta import Obj
from apiserver.registry.podspec.tokens import is_token_volume

# Each path is compared with all before it. So many comparisons take 10 ms; what would take more is
# left uncompared, since nobody else is served meanwhile.
_MOST_COMPARISONS = 40_000
_FILES = (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName"))


def overlap_warnings(volumes: list[Obj]) -> Iterator[str]:
    """Yield which files of a volume overlap."""
    work = _Work(_MOST_COMPARISONS)
    for volume in volumes:
        name = volume.get("name") or ""
        for key, kind, field in _FILES:
            source = volume.get(key)
            if source is not None and _compared(source, work):
                what = f'{kind} "{source.get(field) or ""}"'
                yield from _collisions(_paths(source), what, name)
        downward = volume.get("downwardAPI")
        if downward is not None and _compared(downward, work):
            yield from _collisions(_paths(downward), "DownwardAPI", name)
        projected = volume.get("projected")
        if projected is not None and not is_token_volume(projected):
            yield from _projected(projected.get("sources") or (), name, work)


class _Work:
    """The comparisons that may still be made for one object."""

    def __init__(self, left: int) -> None:
        self._left = left

    def allows(self, paths: int) -> bool:
        """Tell whether so many paths may be compared with each other, and count that they are."""
        self._left -= paths * paths // 2 + 1
        return self._left > 0


def _compared(source: Obj, work: _Work) -> bool:
    items = source.get("items") or ()
    return bool(items) and work.allows(len(items))


def _projected(sources: Iterable[Obj], volume: str, work: _Work) -> Iterator[str]:
    taken: set[str] = set()
    paths: list[str] = []
    what = ""
    for source in sources:
        if not any(part is not None for part in source.values()):
            yield f'volume "{volume}" (Projected) has no sources provided'
            continue
        # A source that names no files of its own is compared as the one before it was.
        paths, what = _named(source) or (paths, what)
        if not work.allows(len(paths) + len(taken)):
            return
        yield from _collisions(paths, what, volume)
        own = set(paths)
        yield from _collisions(sorted([*own, *taken]), what, volume)
        taken |= own


def _named(source: Obj) -> tuple[list[str], str] | None:
    """Return the paths of a source and how it is called in warnings."""
    for key, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        part = source.get(key)
        if part is not None and part.get("items") is not None:
            return _paths(part), f'Projected {kind} "{part.get("name") or ""}"'
    downward = source.get("downwardAPI")
    if downward is not None and downward.get("items") is not None:
        return _paths(downward), "Projected DownwardAPI"
    token = source.get("serviceAccountToken")
    return None if token is None else ([token.get("path") or ""], "Projected ServiceAccountToken")


def _paths(source: Obj) -> list[str]:
    return [item.get("path") or "" for item in source["items"]]


def _collisions(paths: list[str], what: str, volume: str) -> Iterator[str]:
    if len({path[:1] for path in paths}) == len(paths):
        return  # where no two begin alike none is in another's way
    seen: list[str] = []
    for given in paths:
        path = given.rstrip("/")
        other = next((one for one in seen if _overlap(one, path)), None)
        if other is not None and path and other:
            yield f'volume "{volume}" ({what}): overlapping paths: "{path}" with "{other}"'
        if path not in seen:
            seen.append(path)


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(other) or f"{other}/".startswith(one)
