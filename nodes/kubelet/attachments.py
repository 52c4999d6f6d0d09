"""What a node says of the volumes that it uses, and which of them have been attached to it.

A volume whose driver wants it attached is reported as in use first; then the kubelet waits until
the node's status names it as attached. It is in use until the last pod has let go of it. Nothing
is followed before the first such volume.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
        await self._report(following)
        if name in self._attached(following):
            return True
        self._waiting.setdefault(name, set()).add(uid)
        return False

    async def release(self, pod: Obj, volumes: Sequence[Obj] = ()) -> None:
        """The pod uses nothing any more; `volumes`: what it had from a kubelet before this one."""
        for users in (*self._waiting.values(), *self._used.values()):
            users.discard(uid_of(pod))
        gone = {name for name, users in self._used.items() if not users}
        gone |= {unique_name(one) for one in volumes if driver_of(one)} - set(self._used)
        for name in gone & set(self._used):
            del self._used[name]
        if gone:
            await self._report(await self._follow(), gone)

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

    async def _report(self, following: Informer, gone: Iterable[str] = ()) -> None:
        """Say what is in use; what a kubelet before this one said stays said until it is over."""
        before = set(self._status(following).get("volumesInUse") or ())
        now = (before | set(self._used)).difference(gone)
        if now != before:
            body = {"status": {"volumesInUse": sorted(now) or None}}
            await self._client.patch(NODES, "", self._node, body, subresource="status")
