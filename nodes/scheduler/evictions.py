"""Room is made: victims are sent away, and who they go for is not tried before that is under way.

As v1.36 does it besides scheduling (SchedulerAsyncPreemption). A pod that waits to be bound is not
deleted but goes back to the queue. Where a victim cannot be sent away the others stay, and the pod
is tried again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from apimachinery.errors import ApiError, NotFound
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of, uid_of
from nodes.client import resources
from nodes.client.events import NORMAL
from nodes.client.rest import Client
from nodes.scheduler.cache import Cache
from nodes.scheduler.framework import Reader
from nodes.scheduler.observing import Observer
from nodes.scheduler.podgroup import priority_of
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.status import Patcher
from nodes.scheduler.voices import Voices

log = logging.getLogger(__name__)

_TARGET = "DisruptionTarget"
# What stands for all nodes, where a group makes room.
EVERYWHERE = "cluster"
# Takes a pod that is about to be bound back into the queue; says where it was, "" for nowhere.
Interrupt = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Preemptor:
    """Who needs the room: a pod, or a group of pods."""

    kind: str
    obj: Obj
    scheduler: str
    priority: int
    # The uids of the pods that are tried again afterwards.
    pods: tuple[str, ...]

    @staticmethod
    def of(pod: PodInfo) -> Preemptor:
        return Preemptor("pod", pod.obj, pod.scheduler, pod.priority, (pod.uid,))

    @staticmethod
    def of_group(group: Obj, pods: Sequence[PodInfo]) -> Preemptor:
        uids = tuple(pod.uid for pod in pods)
        return Preemptor("podgroup", group, pods[0].scheduler, priority_of(group), uids)

    @property
    def name(self) -> str:
        return f"{namespace_of(self.obj)}/{name_of(self.obj)}"


@dataclass(frozen=True, slots=True)
class Room:
    """Room that is to be made: where, or what stands for all nodes; and who has to go for it."""

    preemptor: Preemptor
    where: str
    victims: Sequence[PodInfo]
    # How many go by themselves.
    leaving: int


class Evictions:
    """Sends victims away, and knows for whom that is not over."""

    def __init__(
        self,
        client: Client,
        patcher: Patcher,
        cache: Cache,
        pods: Reader,
        voices: Voices,
        interrupt: Interrupt,
        activate: Callable[[Iterable[str]], None],
    ) -> None:
        """`activate` has pods tried again at once."""
        self._client, self._patcher, self._cache, self._pods = client, patcher, cache, pods
        self._voices, self._interrupt, self._activate = voices, interrupt, activate
        # The uid of each preemptor, with the victim that is the last to go once it is its turn.
        self._running: dict[str, PodInfo | None] = {}
        self.observer: Observer | None = None

    def running(self, uid: str) -> bool:
        """Tell whether victims of a pod or a group have still to be sent away.

        It is over as soon as the last one is seen to go: its going is what the pod waits for.
        """
        if uid not in self._running:
            return False
        last = self._running[uid]
        if last is None:
            return True
        found = self._pods.get(last.namespace, last.name)
        return found is not None and not is_deleting(found)

    def begin(self, preemptor: Preemptor, where: str, victims: Sequence[PodInfo]) -> Room:
        """Take note that room is being made, before anything is written."""
        left = []
        for victim in victims:
            known = self._pods.get(victim.namespace, victim.name)
            if known is not None and is_deleting(known):
                if self.observer is not None:
                    self.observer.leaves_already(preemptor.name, victim, where)
            else:
                left.append(victim)
        if left:
            self._running[uid_of(preemptor.obj)] = None
        return Room(preemptor, where, left, len(victims) - len(left))

    async def run(self, room: Room) -> None:
        """Send those away who have to go."""
        preemptor, where, victims = room.preemptor, room.where, room.victims
        if not victims:
            return
        uid, fine = uid_of(preemptor.obj), False
        began = time.perf_counter()
        if self.observer is not None:
            going = len(victims)
            self.observer.preempts(preemptor.name, where, room.leaving + going, going)
        try:
            fine = await self._release(preemptor, where)
            for victim in victims[:-1]:
                await self._send_away(preemptor, where, victim)
            self._running[uid] = victims[-1]
            await self._send_away(preemptor, where, victims[-1])
        except ApiError as error:
            fine = False
            log.warning("no room is made for %s: %s", preemptor.name, error.message)
        finally:
            self._running.pop(uid, None)
            if self.observer is not None:
                seconds = time.perf_counter() - began
                self.observer.preempted_all(preemptor.name, where, seconds, fine=fine)
            if not fine:
                self._activate(preemptor.pods)

    async def _release(self, preemptor: Preemptor, where: str) -> bool:
        """Let those of lower priority look elsewhere that were to have the node."""
        fine = True
        for pod in self._cache.awaited(where):
            if pod.priority < preemptor.priority:
                self._cache.unnominate(pod.uid)
                fine = await self._patcher.tried(pod, nominated="") and fine
        return fine

    async def _send_away(self, preemptor: Preemptor, where: str, victim: PodInfo) -> None:
        """Delete a pod, with the condition that says why. Raises ApiError."""
        words = f"Preempted by {preemptor.kind} {uid_of(preemptor.obj)} on node {where}"
        if point := self._interrupt(victim.uid):
            words += " (in kube-scheduler memory)."
            if self.observer is not None:
                self.observer.interrupted(preemptor.kind, preemptor.name, victim, where, point)
        else:
            there = await self._delete(preemptor, victim)
            if self.observer is not None:
                self.observer.preempted(preemptor.name, victim, where, there=there)
            if not there:
                return
        self._voices.of(preemptor.scheduler).event(
            victim.obj, NORMAL, "Preempted", words, action="Preempting", related=preemptor.obj
        )

    async def _delete(self, preemptor: Preemptor, victim: PodInfo) -> bool:
        """Return False where the pod has gone already. Raises ApiError."""
        condition: Obj = {
            "type": _TARGET,
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": (
                f"{preemptor.scheduler}: preempting to accommodate a higher priority "
                f"{preemptor.kind}"
            ),
        }
        try:
            await self._patcher.say(victim, condition)
            await self._client.delete(resources.PODS, victim.namespace, victim.name, uid=victim.uid)
        except NotFound:
            return False
        return True
