"""Pods that are scheduled together: who belongs to which group, and what a group has come to.

The members of a group are tried in one go, against what the others of them leave. A group that
has enough nodes is bound; of one that has not, nobody keeps a node.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apimachinery.clock import Clock
from apimachinery.errors import ApiError
from apimachinery.meta import Obj
from apimachinery.nodes import condition
from nodes.scheduler.attempt import Attempt
from nodes.scheduler.binding import Failure, permit, reserve_for, unreserve
from nodes.scheduler.cache import Cache
from nodes.scheduler.cycle import Outcome
from nodes.scheduler.framework import CycleState, Reader, Writer
from nodes.scheduler.plugins.gang_scheduling import NOT_ALL_PLACED
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.profile import Profile
from nodes.scheduler.queue import Waiting

Key = tuple[str, str]  # namespace and name
_SCHEDULED = "PodGroupScheduled"
SCHEDULED, UNSCHEDULABLE, ERROR = "Scheduled", "Unschedulable", "SchedulerError"
PREEMPTING = "pod group is waiting for preemption to complete"
NO_ROOM = "pod group is unschedulable"


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

    def placed(self, key: Key) -> int:
        place = self._cache.place_of
        return sum(place(uid) is not None for uid in self._members.get(key, ()))


@dataclass(slots=True)
class Try:
    """What came of one member of a group."""

    waiting: Waiting
    attempt: Attempt
    outcome: Outcome
    # It stands on its node, or on the one where room could be made for it.
    assumed: bool = False
    # A plugin did not let it have its node.
    lost: Failure | None = None
    # It fits, and does not get its node because of the others; `nominated` is to be its node.
    held_back: bool = False
    nominated: str = ""


class Trial:
    """A go at all members of a group; what they take is given back unless all is well."""

    def __init__(self, profile: Profile, cache: Cache) -> None:
        self._profile, self._cache = profile, cache
        self.tries: list[Try] = []
        # Of the PodGroup: the reason of its condition, and a message.
        self.word = (UNSCHEDULABLE, NO_ROOM)
        self._needs_room = False

    def take(self, waiting: Waiting, outcome: Outcome, attempt: Attempt) -> bool:
        """Take in what came of the next member; False where there is no going on."""
        one = Try(waiting, attempt, outcome)
        self.tries.append(one)
        if outcome.error:
            self.word = ERROR, f"failed to schedule other pod from a pod group: {outcome.message}"
            return False
        choice = outcome.preemption
        place = outcome.node or (choice.node if choice is not None else "")
        if not place:
            return True
        one.lost = reserve_for(self._profile, self._cache, waiting.pod, outcome)
        if one.lost is not None:
            return True
        self._cache.place(waiting.pod, place)
        one.assumed, one.nominated = True, place
        self._needs_room = self._needs_room or not outcome.node
        if self._is_enough(one):
            self.word = (UNSCHEDULABLE, PREEMPTING) if self._needs_room else (SCHEDULED, "")
        return True

    def _is_enough(self, one: Try) -> bool:
        state = one.outcome.state or CycleState((), self._cache.counts, {})
        failure, waits, _ = permit(self._profile, state, one.waiting.pod, one.nominated)
        return failure is None and not waits

    def give_up(self) -> None:
        """Give all back: something has gone wrong."""
        for one in reversed(self.tries):
            if one.assumed:
                self._give_back(one)

    def decide(self) -> None:
        """Let the members keep their nodes, or give all back."""
        if self.word[0] == SCHEDULED:
            for one in self.tries:
                if one.assumed and not one.outcome.node:
                    self._give_back(one)
            return
        making_room = self.word[1] == PREEMPTING
        for one in reversed(self.tries):
            if not one.assumed:
                continue
            self._give_back(one)
            if one.outcome.node or not making_room:
                one.held_back = True
                one.nominated = one.nominated if making_room else ""
                words = PREEMPTING if making_room else NOT_ALL_PLACED
                if self.word[0] == ERROR:
                    words = self.word[1]
                one.outcome.message = one.attempt.message = words
                one.outcome.node = one.attempt.node = ""
                one.outcome.candidates = ()

    def _give_back(self, one: Try) -> None:
        if one.outcome.state is not None and one.outcome.node:
            unreserve(self._profile, one.outcome.state, one.waiting.pod, one.nominated)
        self._cache.remove(one.waiting.pod.uid)
        one.assumed = False


def by_importance(members: Iterable[Waiting]) -> list[Waiting]:
    """Return members in the order in which they are tried."""
    return sorted(members, key=lambda one: (-one.pod.priority, one.since, one.pod.name))


async def tell(
    writer: Writer, reader: Reader, key: Key, clock: Clock, reason: str, message: str
) -> None:
    """Write in a PodGroup what came of it; one that has its nodes keeps that word."""
    group = reader.get(*key)
    if group is None:
        return
    status = "True" if reason == SCHEDULED else "False"
    old = condition(group, _SCHEDULED) or {}
    if old.get("status") == "True" and status != "True":
        return
    wanted = {"type": _SCHEDULED, "status": status, "reason": reason, "message": message}
    if all(old.get(field) == value for field, value in wanted.items()):
        return
    since = old.get("lastTransitionTime")
    if old.get("status") != status or not since:
        since = clock.timestamp()
    new: Obj = {**wanted, "lastTransitionTime": since}
    if generation := group["metadata"].get("generation"):
        new["observedGeneration"] = generation
    known = (group.get("status") or {}).get("conditions") or ()
    others = [one for one in known if one.get("type") != _SCHEDULED]
    patch: Obj = {"status": {"conditions": [*others, new]}}
    try:
        await writer.patch("podgroups", group, patch, "status")
    except ApiError:
        return  # it has gone, or somebody else was quicker: the next attempt tells anew
