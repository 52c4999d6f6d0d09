"""What viewers of equal rights are told alike, made once: by what they may see, never by who asks.

A key holds all that an answer depends on: what was asked, and `Viewer.sight`, the rights that it
was made with. Rights that change make another key, so nobody hears by it what they may not see.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from playground.cluster import RunningCluster

T = TypeVar("T")

# Kinds of viewers, times namespaces looked at, of one cluster; an answer is some kilobytes.
MOST = 16
KEPT = 60.0


class OfClusters(Generic[T]):
    """What is kept of each cluster that somebody looks at, for a minute; then it is made anew."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._kept: WeakKeyDictionary[RunningCluster, T] = WeakKeyDictionary()

    def __getitem__(self, cluster: RunningCluster) -> T:
        kept = self._kept.get(cluster)
        if kept is None:
            kept = self._kept[cluster] = self._make()
            asyncio.get_running_loop().call_later(KEPT, self._kept.pop, cluster, None)
        return kept


class _Made(NamedTuple):
    revision: int
    at: float
    answer: asyncio.Future[Any]


class Shared:
    """The answers of one cluster."""

    def __init__(self) -> None:
        self._made: OrderedDict[Hashable, _Made] = OrderedDict()

    async def get(
        self,
        key: Hashable,
        revision: int,
        make: Callable[[], Awaitable[Any]],
        *,
        young: float = 0.0,
    ) -> tuple[int, Any]:
        """Return an answer and its revision: the newest one, or one that is `young` seconds old.

        Who asks while it is being made waits for it. What fails is made anew.
        """
        now = asyncio.get_running_loop().time()
        made = self._made.get(key)
        if made is None or not (made.revision == revision or now - made.at < young):
            # As a task of its own: whoever asked first may leave.
            made = _Made(revision, now, asyncio.ensure_future(make()))
            self._keep(key, made)
        try:
            return made.revision, await asyncio.shield(made.answer)
        except BaseException:
            if made.answer.done() and self._made.get(key) is made:
                del self._made[key]
            raise

    def _keep(self, key: Hashable, made: _Made) -> None:
        self._made[key] = made
        self._made.move_to_end(key)
        while len(self._made) > MOST:
            self._made.popitem(last=False)
