"""Which nodes hold which images, kept up as nodes tell of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from apimachinery.meta import Obj
from nodes.scheduler.nodeinfo import NodeInfo

_NOBODY: Mapping[str, int] = {}


class Images:
    """Images by each of the names that nodes have for them."""

    def __init__(self, nodes: Iterable[NodeInfo] = ()) -> None:
        self._held: dict[str, dict[str, int]] = {}
        for node in nodes:
            self.change(node.name, {}, node.obj)

    def holders(self, image: str) -> Mapping[str, int]:
        """Return node name -> bytes; shared, never to be changed."""
        return self._held.get(image, _NOBODY)

    def change(self, node: str, before: Obj, now: Obj) -> None:
        """Take in what a node tells, and told before; {} for nothing."""
        old, new = _images_of(before), _images_of(now)
        if old == new:
            return
        for name, _ in _named(old):
            if (held := self._held.get(name)) is not None:
                held.pop(node, None)
                if not held:
                    del self._held[name]
        for name, size in _named(new):
            self._held.setdefault(name, {})[node] = size

    def copy(self) -> Images:
        """Return images that can be changed without changing these."""
        made = Images()
        made._held = {name: dict(held) for name, held in self._held.items()}
        return made


def _images_of(node: Obj) -> list[Obj]:
    return (node.get("status") or {}).get("images") or []


def _named(images: Iterable[Obj]) -> Iterator[tuple[str, int]]:
    for image in images:
        for name in image.get("names") or ():
            yield name, image.get("sizeBytes") or 0
