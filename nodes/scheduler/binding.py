"""From a node that was chosen to a pod that may be bound: reserve, permit, preBind.

What these keep for the pod is given back where one of them refuses, in the opposite order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from apimachinery.clock import Clock
from apimachinery.duration import format_duration
from apimachinery.meta import Obj, name_of, namespace_of
from nodes.client.events import NORMAL
from nodes.client.resources import Res
from nodes.client.rest import MERGE_PATCH, Client
from nodes.scheduler.cache import Cache
from nodes.scheduler.cycle import Outcome
from nodes.scheduler.framework import Code, CycleState, Plugin, Status
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.profile import Profile
from nodes.scheduler.voices import Voices

# Why a pod is given up that was to be bound, where a more important one needs the room.
PREEMPTED = "preempted"
# Where it was then.
PERMIT, PRE_BIND = "permit", "preBind"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a pod is not bound after all. `rejected`: by a rule; otherwise something went wrong."""

    message: str
    plugin: str
    rejected: bool

    @property
    def refused_by(self) -> tuple[str, ...]:
        """Return whose refusal an event may take back: nobody's, where something went wrong."""
        return (self.plugin,) if self.rejected else ()


class Writer:
    """What preBind plugins write with; changes of watched objects wake those who wait for one."""

    def __init__(
        self, client: Client, kinds: Mapping[str, Res], clock: Clock, voices: Voices
    ) -> None:
        self._client, self._kinds, self._clock, self._voices = client, kinds, clock, voices
        self._waiting: set[asyncio.Future[bool]] = set()

    async def patch(self, kind: str, obj: Obj, patch: Obj, subresource: str = "") -> Obj:
        """Merge a patch into an object. Raises ApiError."""
        where = (self._kinds[kind], namespace_of(obj), name_of(obj))
        return await self._client.patch(*where, patch, MERGE_PATCH, subresource)

    async def create(self, kind: str, obj: Obj) -> Obj:
        """Make an object. Raises ApiError."""
        return await self._client.create(obj, self._kinds[kind])

    async def delete(self, kind: str, obj: Obj) -> None:
        """Delete an object. Raises ApiError."""
        await self._client.delete(self._kinds[kind], namespace_of(obj), name_of(obj))

    def now(self) -> str:
        """Return the time as it is written."""
        return self._clock.timestamp()

    def say(self, pod: PodInfo, reason: str, note: str) -> None:
        """Tell of a pod that is being scheduled: a normal event."""
        self._voices.of(pod.scheduler).event(pod.obj, NORMAL, reason, note, action="Scheduling")

    def changed(self) -> None:
        """Let those who wait look again."""
        waiting, self._waiting = self._waiting, set()
        for one in waiting:
            if not one.done():
                one.set_result(True)

    async def until(self, there: Callable[[], bool], seconds: float) -> bool:
        """Wait for a change after which something holds; False when the time is up."""
        end = self._clock.seconds() + seconds
        while not there():
            left = end - self._clock.seconds()
            if left <= 0 or not await self._next(left):
                return there()
        return True

    async def _next(self, seconds: float) -> bool:
        came: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.add(came)
        timer = self._clock.call_later(seconds, _end, came)
        try:
            return await came
        finally:
            timer.cancel()
            self._waiting.discard(came)


def _end(came: asyncio.Future[bool]) -> None:
    if not came.done():
        came.set_result(False)


class Waiters:
    """Pods that a permit plugin has wait: reserved, and not yet bound."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pods: dict[str, asyncio.Future[str]] = {}

    def __contains__(self, uid: str) -> bool:
        return uid in self._pods

    def preempt(self, uid: str) -> bool:
        """Give a pod up since another one needs its room; tell whether it was waiting."""
        if uid not in self._pods:
            return False
        self._end(uid, PREEMPTED)
        return True

    def allow(self, uid: str) -> None:
        """Let a pod be bound."""
        self._end(uid, "")

    def reject(self, uid: str, why: str) -> None:
        """Give a pod up."""
        self._end(uid, why)

    def _end(self, uid: str, why: str) -> None:
        came = self._pods.get(uid)
        if came is not None and not came.done():
            came.set_result(why)

    async def wait(self, pod: PodInfo, plugin: str, seconds: float) -> str:
        """Return why a pod was refused, "" where it is allowed."""
        came: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        late = (
            f"rejected due to timeout after waiting {format_duration(seconds)} at plugin {plugin}"
        )
        self._pods[pod.uid] = came
        timer = self._clock.call_later(seconds, self._end, pod.uid, late)
        try:
            return await came
        finally:
            timer.cancel()
            self._pods.pop(pod.uid, None)


def reserve(profile: Profile, state: CycleState, pod: PodInfo, node: NodeInfo) -> Failure | None:
    """Keep what a pod needs on its node; keep nothing where a plugin refuses."""
    for plugin in profile.reserve:
        status = plugin.reserve(state, pod, node)
        if not status.ok:
            unreserve(profile, state, pod, node.name)
            return _failure("Reserve", plugin, status)
    return None


def reserve_for(profile: Profile, cache: Cache, pod: PodInfo, outcome: Outcome) -> Failure | None:
    """Keep what a pod needs on the node that an attempt chose, if it chose one."""
    state, node = outcome.state, cache.node(outcome.node)
    if state is None or node is None:
        return None
    return reserve(profile, state, pod, node)


def unreserve(profile: Profile, state: CycleState, pod: PodInfo, node: str) -> None:
    """Give back what was kept."""
    for plugin in reversed(profile.reserve):
        plugin.unreserve(state, pod, node)


def permit(
    profile: Profile, state: CycleState, pod: PodInfo, node: str
) -> tuple[Failure | None, str, float]:
    """Ask whether a pod may be bound: a refusal, or the plugin that has it wait, and how long."""
    waits, longest = "", 0.0
    for plugin in profile.permit:
        status, seconds = plugin.permit(state, pod, node)
        if status.code is Code.WAIT:
            waits, longest = plugin.name, max(longest, seconds)
        elif not status.ok:
            return _failure("Permit", plugin, status), "", 0.0
    return None, waits, longest


def has_work(profile: Profile, state: CycleState, pod: PodInfo) -> bool:
    """Tell whether something has to be done before a pod may be bound."""
    return any(plugin.needs_pre_bind(state, pod) for plugin in profile.pre_bind)


async def pre_bind(
    profile: Profile, state: CycleState, pod: PodInfo, node: str, writer: Writer
) -> Failure | None:
    """Do what has to be done."""
    for plugin in profile.pre_bind:
        if plugin.needs_pre_bind(state, pod):
            status = await plugin.pre_bind(state, pod, node, writer)
            if not status.ok:
                return _failure("PreBind", plugin, status)
    return None


def refused(plugin: str, reasons: Iterable[str]) -> Failure:
    """Return what a pod is told whose one node a plugin refused after all."""
    why = ", ".join(sorted(f"1 {reason}" for reason in reasons))
    return Failure(f"0/1 nodes are available: {why}.", plugin, rejected=True)


def _failure(point: str, plugin: Plugin, status: Status) -> Failure:
    if status.code in (Code.UNSCHEDULABLE, Code.UNRESOLVABLE):
        return refused(plugin.name, status.reasons)
    why = ", ".join(status.reasons)
    return Failure(f'running {point} plugin "{plugin.name}": {why}', plugin.name, rejected=False)
