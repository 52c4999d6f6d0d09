"""Whose is it: adopting orphans that a selector matches, releasing what it no longer matches.

Of several controllers whose selectors match, the first to adopt an object keeps it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from apimachinery.errors import Invalid, NotFound
from apimachinery.labels import Selector
from apimachinery.meta import (
    Obj,
    controller_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)
from nodes.client.informer import Informer
from nodes.client.resources import Res
from nodes.client.rest import STRATEGIC_PATCH, Client

ORPHANS = "orphans"


def _orphans(obj: Obj) -> Iterable[str]:
    return () if controller_of(obj) is not None else (namespace_of(obj),)


def index_orphans(informer: Informer) -> None:
    """Keep the objects without a controller by namespace."""
    informer.add_index(ORPHANS, _orphans)


def candidates(informer: Informer, owner: Obj) -> list[Obj]:
    """Return what an owner has, and what has no controller in its namespace."""
    return informer.owned_by(owner) + informer.by_index(ORPHANS, namespace_of(owner))


class Claims:
    """Claims objects of one resource for owners of another."""

    def __init__(self, client: Client, owners: Res, claimed: Res, finalizer: str = "") -> None:
        """`finalizer`: what is adopted gets it, and what is released loses it."""
        self._client, self._owners, self._claimed = client, owners, claimed
        self._finalizer = finalizer

    async def claim(self, owner: Obj, selector: Selector, found: Sequence[Obj]) -> list[Obj]:
        """Return those of `found` that are the owner's now."""
        mine: list[Obj] = []
        adopt: list[Obj] = []
        release: list[Obj] = []
        for obj in found:
            controller = controller_of(obj)
            matches = selector.matches(labels_of(obj))
            if controller is not None and controller.get("uid") != uid_of(owner):
                continue
            if controller is not None:
                (mine if matches else release).append(obj)
            elif matches and not is_deleting(obj):
                adopt.append(obj)
        if is_deleting(owner):
            return mine
        await asyncio.gather(*(self._release(owner, obj) for obj in release))
        return mine + await self._adopt_all(owner, adopt)

    async def _adopt_all(self, owner: Obj, orphans: Sequence[Obj]) -> list[Obj]:
        if not orphans:
            return []
        # The cache may not show yet that the owner is going: ask.
        fresh = await self._client.find(self._owners, namespace_of(owner), name_of(owner))
        if fresh is None or uid_of(fresh) != uid_of(owner) or is_deleting(fresh):
            return []
        adopted = await asyncio.gather(*(self._adopt(owner, obj) for obj in orphans))
        return [obj for obj in adopted if obj is not None]

    async def _adopt(self, owner: Obj, obj: Obj) -> Obj | None:
        body: Obj = {"ownerReferences": [owner_reference(owner)], "uid": uid_of(obj)}
        if self._finalizer:
            body["finalizers"] = [self._finalizer]
        return await self._patch(obj, body)

    async def _release(self, owner: Obj, obj: Obj) -> None:
        body: Obj = {
            "ownerReferences": [{"$patch": "delete", "uid": uid_of(owner)}],
            "uid": uid_of(obj),
        }
        if self._finalizer in (obj["metadata"].get("finalizers") or ()):
            body["$deleteFromPrimitiveList/finalizers"] = [self._finalizer]
        await self._patch(obj, body)

    async def _patch(self, obj: Obj, metadata: Obj) -> Obj | None:
        try:
            return await self._client.patch(
                self._claimed,
                namespace_of(obj),
                name_of(obj),
                {"metadata": metadata},
                STRATEGIC_PATCH,
            )
        except (NotFound, Invalid):
            return None  # gone, or another's by now
