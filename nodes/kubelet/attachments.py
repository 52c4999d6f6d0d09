"""What a node says of the volumes that it uses, and which of them have been attached to it.

A volume whose driver wants it attached is reported as in use first; then the kubelet waits until
the node's status names it as attached. It is in use until the last pod has let go of it. Nothing
is followed before the first such volume.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from apimachinery.attachments import driver_of, needs_attaching, unique_name
from apimachinery.meta import Obj, uid_of
from nodes.client.informer import Informer, Informers
from nodes.client.resources import CSIDRIVERS, NODES
from nodes.client.rest import Client


class Attachments:
    """The attachable volumes of one node."""

    def __init__(
        self, node: str, client: Client, informers: Informers, changed: Callable[[str], None]
    ) -> None:
        """`changed` is told which pod, by its uid, has waited for what is there now."""
        self._node, self._client, self._informers = node, client, informers
        self._changed = changed
        self._following: Informer | None = None
        self._used: dict[str, set[str]] = {}  # names of volumes, with the uids of their pods
        self._waiting: dict[str, set[str]] = {}
        # Pods that were found running, by uid: what they use is not known yet.
        self._unknown: set[str] = set()
        # What the API has been told last, and whether that is sure.
        self._said: set[str] | None = None
        self._is_sure = True
        self._turn = asyncio.Lock()

    async def is_ready(self, pod: Obj, volume: Obj) -> bool:
        """Tell whether a pod can have a volume now; if not, its pod is told when it can."""
        driver = driver_of(volume)
        if not driver:
            return True
        found = await self._client.find(CSIDRIVERS, "", driver)
        if not needs_attaching(volume, found):
            return True
        name, uid = unique_name(volume), uid_of(pod)
        following = await self._follow()
        self._used.setdefault(name, set()).add(uid)
        await self._report()
        if name in self._attached(following):
            return True
        self._waiting.setdefault(name, set()).add(uid)
        return False

    def expect(self, pod: Obj) -> None:
        """The pod uses something from before this kubelet; `is_ready` and `known` will tell."""
        self._unknown.add(uid_of(pod))

    async def known(self, pod: Obj) -> None:
        """All that an expected pod uses has been told. Raises ApiError as `release` does."""
        self._unknown.discard(uid_of(pod))
        await self.review()

    async def review(self) -> None:
        """Say no more that something is in use which was so before this kubelet began."""
        if not self._unknown:
            await self._report()

    async def release(self, pod: Obj) -> None:
        """The pod uses nothing any more.

        Raises ApiError where the API cannot be told: it has to be tried again.
        """
        for users in (*self._waiting.values(), *self._used.values()):
            users.discard(uid_of(pod))
        self._used = {name: users for name, users in self._used.items() if users}
        self._unknown.discard(uid_of(pod))
        if self._following is not None:
            await self._report()

    async def _follow(self) -> Informer:
        """Follow the node's own object; it is there when this returns."""
        if self._following is None:
            self._following = self._informers.get(
                NODES, field_selector=f"metadata.name={self._node}"
            )
            self._following.on_change(self._on_node)
        await self._following.synced.wait()
        return self._following

    def _on_node(self, old: Obj | None, new: Obj | None) -> None:
        if new is None or self._following is None:
            return
        attached = self._attached(self._following)
        for name in [one for one in self._waiting if one in attached]:
            for uid in self._waiting.pop(name):
                self._changed(uid)

    def _status(self, following: Informer) -> dict[str, Any]:
        node = following.get("", self._node)
        return (node or {}).get("status") or {}

    def _attached(self, following: Informer) -> set[str]:
        return {one["name"] for one in self._status(following).get("volumesAttached") or ()}

    async def _report(self) -> None:
        """Say what is in use; what was said before stays said while it may still be."""
        following = await self._follow()
        async with self._turn:
            if self._said is None:
                self._said = set(self._status(following).get("volumesInUse") or ())
            now = set(self._used) | (self._said if self._unknown else set())
            if now != self._said or not self._is_sure:
                self._is_sure = False
                body = {"status": {"volumesInUse": sorted(now) or None}}
                await self._client.patch(NODES, "", self._node, body, subresource="status")
                self._said, self._is_sure = now, True
