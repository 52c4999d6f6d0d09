"""Pods that are scheduled together: who belongs to which group, and what is told of a group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from apimachinery.clock import Clock
from apimachinery.errors import ApiError
from apimachinery.meta import Obj
from apimachinery.nodes import condition
from nodes.scheduler.cache import Cache
from nodes.scheduler.framework import Reader, Writer
from nodes.scheduler.podgroup import Key
from nodes.scheduler.podinfo import PodInfo

_CONDITION = "PodGroupScheduled"
SCHEDULED, UNSCHEDULABLE, ERROR = "Scheduled", "Unschedulable", "SchedulerError"


class Groups:
    """Who belongs to which group."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._members: dict[Key, set[str]] = {}
        self._group_of: dict[str, Key] = {}

    def add(self, pod: Obj) -> None:
        """Take note of a pod; its group is for good."""
        key, uid = PodInfo.group_of(pod), pod["metadata"]["uid"]
        if key is not None and uid not in self._group_of:
            self._group_of[uid] = key
            self._members.setdefault(key, set()).add(uid)

    def remove(self, uid: str) -> None:
        key = self._group_of.pop(uid, None)
        if key is not None:
            self._members[key].discard(uid)
            if not self._members[key]:
                del self._members[key]

    def members(self, key: Key) -> Iterable[str]:
        """Return the uids of a group's pods, in an order that repeats."""
        return sorted(self._members.get(key, ()))

    def known(self, key: Key) -> int:
        return len(self._members.get(key, ()))

    def placed(self, key: Key, place_of: Callable[[str], str | None]) -> int:
        return sum(place_of(uid) is not None for uid in self._members.get(key, ()))

    def standing(self, key: Key) -> Iterator[tuple[str, str]]:
        """Yield the pods of a group that have nodes, each as NAMESPACE/NAME with its node."""
        for uid in self.members(key):
            node = self._cache.place_of(uid)
            info = self._cache.node(node) if node is not None else None
            if node is not None and info is not None:
                yield "/".join(info.pods[uid].key), node


async def tell(
    writer: Writer, reader: Reader, key: Key, clock: Clock, reason: str, message: str
) -> None:
    """Write in a PodGroup what came of it; one that has its nodes keeps that word."""
    group = reader.get(*key)
    if group is None:
        return
    status = "True" if reason == SCHEDULED else "False"
    old = condition(group, _CONDITION) or {}
    if old.get("status") == "True" and status != "True":
        return
    wanted = {"type": _CONDITION, "status": status, "reason": reason, "message": message}
    if all(old.get(field) == value for field, value in wanted.items()):
        return
    since = old.get("lastTransitionTime")
    if old.get("status") != status or not since:
        since = clock.timestamp()
    new: Obj = {**wanted, "lastTransitionTime": since}
    if generation := group["metadata"].get("generation"):
        new["observedGeneration"] = generation
    known = (group.get("status") or {}).get("conditions") or ()
    others = [one for one in known if one.get("type") != _CONDITION]
    patch: Obj = {"status": {"conditions": [*others, new]}}
    try:
        await writer.patch("podgroups", group, patch, "status")
    except ApiError:
        return  # it has gone, or somebody else was quicker: the next attempt tells anew
