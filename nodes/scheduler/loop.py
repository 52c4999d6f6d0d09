"""The scheduler's loop: pods in, bindings out.

A pod is tried synchronously against the cache, assumed on its node at once, and bound while the
next is tried. A binding that fails takes the assumption back. The loop has no task while no pod
is active.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from apimachinery.clock import Clock
from apimachinery.errors import ApiError, NotFound
from apimachinery.meta import Obj, is_deleting, name_of
from nodes.client import resources
from nodes.client.cause import CAUSE
from nodes.client.events import Recorder
from nodes.client.informer import Informers
from nodes.client.rest import Client
from nodes.client.supervise import TaskSet
from nodes.scheduler import binding, changes
from nodes.scheduler.attempt import Attempt
from nodes.scheduler.cache import Cache
from nodes.scheduler.changes import OTHERS, Meaning
from nodes.scheduler.config.reading import DEFAULT_SCHEDULER, Configuration, Extender
from nodes.scheduler.cycle import Cycle, Outcome, choices
from nodes.scheduler.decisions import Decisions
from nodes.scheduler.extenders import Ask, ExtenderError, Extenders, no_ask
from nodes.scheduler.framework import Change, CycleState, Event, GroupPlugin, Reader
from nodes.scheduler.groups import Groups, Trial, Try, by_importance, tell
from nodes.scheduler.hints import Hints
from nodes.scheduler.observing import Observer
from nodes.scheduler.plugins.gang_scheduling import GangScheduling
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.preemption import Candidate
from nodes.scheduler.profile import Profile
from nodes.scheduler.queue import Queue, Waiting
from nodes.scheduler.telling import Teller

log = logging.getLogger(__name__)

# What is to be written of an attempt.
Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

USER = "system:kube-scheduler"
# Bindings under way together: they commit as a group; more would only wait.
_BINDINGS = 64
# Other work of the process gets its turn after so many attempts in a row, or when so many nodes
# have been looked at (some 5 ms).
_ATTEMPTS_IN_A_ROW, _NODES_IN_A_ROW = 16, 1600

_READ = {
    "services": resources.SERVICES,
    "replicationcontrollers": resources.REPLICATIONCONTROLLERS,
    "replicasets": resources.REPLICASETS,
    "statefulsets": resources.STATEFULSETS,
    "persistentvolumeclaims": resources.PERSISTENTVOLUMECLAIMS,
    "persistentvolumes": resources.PERSISTENTVOLUMES,
    "storageclasses": resources.STORAGECLASSES,
    "csinodes": resources.CSINODES,
    "volumeattachments": resources.VOLUMEATTACHMENTS,
    "namespaces": resources.NAMESPACES,
    "resourceclaims": resources.RESOURCECLAIMS,
    "resourceslices": resources.RESOURCESLICES,
    "deviceclasses": resources.DEVICECLASSES,
}


class Scheduler:
    """Gives pods their nodes by the profile that they name, as the user system:kube-scheduler."""

    def __init__(
        self,
        client: Client,
        informers: Informers,
        recorder: Recorder,
        clock: Clock,
        tasks: TaskSet,
        *,
        ask: Ask = no_ask,
        gangs: bool = False,
    ) -> None:
        """`gangs`: pods of a PodGroup are scheduled together (GangScheduling)."""
        self._client, self._informers = client, informers
        self._clock, self._tasks, self._ask = clock, tasks, ask
        self.cache = Cache()
        self.queue = Queue(clock, self._wake, lambda pod: self.kept_out(pod)[0])
        self.decisions = Decisions()
        # Set where somebody can read what it logs and counts.
        self.observer: Observer | None = None
        kinds = {**_READ, "podgroups": resources.PODGROUPS} if gangs else _READ
        self._readers: dict[str, Reader] = {n: informers.get(res) for n, res in kinds.items()}
        self._groups = Groups(self.cache) if gangs else None
        self._budgets = informers.get(resources.PODDISRUPTIONBUDGETS)
        self._cycles: dict[str, Cycle] = {}
        self._writer = binding.Writer(client, kinds, clock)
        self._teller = Teller(client, recorder, clock, self._writer)
        self.waiters = binding.Waiters(clock)
        self._running = self._stopped = False
        self._looked = 0
        self._binding = asyncio.Semaphore(_BINDINGS)
        self.configure(Configuration())

    @property
    def profiles(self) -> list[Profile]:
        return [cycle.profile for cycle in self._cycles.values()]

    def configure(self, configuration: Configuration) -> None:
        """Schedule by other rules from now on. Raises ConfigError, and goes on by the old ones."""
        gangs = self._groups is not None
        profiles = [Profile(one, gangs=gangs) for one in configuration.completed()]
        for plugin in (plugin for one in profiles for plugin in one.plugins.values()):
            if isinstance(plugin, GroupPlugin) and self._groups is not None:
                plugin.groups, plugin.group_objects = self._groups, self._readers["podgroups"]
        self.configuration = configuration
        self._cycles = {one.name: self._cycle_on(self.cache, one) for one in profiles}
        self.queue.hints = Hints(
            {one.name: tuple(one.plugins.values()) for one in profiles},
            self._readers,
            extenders=bool(configuration.extenders),
        )
        self._extenders = Extenders(configuration.extenders, self._ask)
        self.queue.backoff = (configuration.first_backoff, configuration.longest_backoff)
        for pod in self._informers.get(resources.PODS).list():
            self._on_pod(None, pod)  # pods of schedulers that there were not, or are no longer
        self.queue.move_all()

    def start(self) -> None:
        """Follow nodes first, so that pods find them, then pods and claims."""
        self._informers.get(resources.NODES).on_change(self._on_node)
        self._informers.get(resources.PODS).on_change(self._on_pod)
        for resource, meaning in OTHERS:
            self._informers.get(resource).on_change(partial(self._on_other, meaning))
        if self._groups is not None:
            meaning = Meaning(Event.GROUP_ADDED)
            self._informers.get(resources.PODGROUPS).on_change(partial(self._on_other, meaning))

    def stop(self) -> None:
        self._stopped = True
        self.queue.close()

    def _cycle_on(self, cache: Cache, profile: Profile, *, looks_at_all: bool = False) -> Cycle:
        chance = random.Random(0)  # noqa: S311 - a tie-break that can be repeated
        return Cycle(
            cache, profile, self._readers, self._budgets, chance, looks_at_all=looks_at_all
        )

    def _profile_of(self, pod: Obj) -> Profile | None:
        cycle = self._cycles.get(pod["spec"].get("schedulerName") or DEFAULT_SCHEDULER)
        return cycle.profile if cycle is not None else None

    def _attempt(self, pod: PodInfo, number: int) -> Attempt:
        where = f"{pod.namespace}/{pod.name}"
        return Attempt(where, pod.uid, number, self._clock.micro_timestamp(), pod.scheduler)

    def what_if(self, pod: Obj, nodes: Mapping[str, Obj | None]) -> Attempt:
        """Try a pod on the cluster as it would be with other nodes (None: gone); nothing changes.

        Where the pod stands now, or whether it may be tried yet, does not count. Raises KeyError
        where no profile has the name that the pod's schedulerName is.
        """
        unplaced = {**pod, "spec": {k: v for k, v in pod["spec"].items() if k != "nodeName"}}
        info = PodInfo.of(unplaced)
        profile = self._cycles[info.scheduler].profile
        cache = self.cache.fork(nodes, info.uid)
        attempt = self._attempt(info, 0)
        outcome = self._cycle_on(cache, profile, looks_at_all=True).run(info, attempt)
        attempt.node, attempt.message = outcome.node, outcome.message
        return attempt

    def kept_out(self, pod: PodInfo) -> tuple[str, str]:
        """Return the plugin that does not let a pod into the queue, and why; "" for none."""
        profile = self._profile_of(pod.obj)
        for plugin in profile.pre_enqueue if profile is not None else ():
            status = plugin.pre_enqueue(pod, self._readers)
            if not status.ok:
                return plugin.name, ", ".join(status.reasons)
        return "", ""

    # What happens in the cluster.

    def _on_node(self, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            if old is not None:
                self.cache.remove_node(name_of(old))
                self.queue.move(Change(Event.NODE_GONE, old))
            return
        self.cache.set_node(new)
        for event in (Event.NODE_ADDED,) if old is None else changes.of_node(old, new):
            self.queue.move(Change(event, old, new))

    def _on_other(self, meaning: Meaning, old: Obj | None, new: Obj | None) -> None:
        self._writer.changed()
        event = meaning.gone if new is None else meaning.added if old is None else meaning.changed
        if event is not None:
            self.queue.move(Change(event, old, new))

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            if old is not None:
                self._forget(old["metadata"]["uid"])
            return
        if old is not None and old["metadata"]["uid"] != new["metadata"]["uid"]:
            self._forget(old["metadata"]["uid"])
            old = None
        phase = (new.get("status") or {}).get("phase")
        if phase in {"Succeeded", "Failed"}:
            self._forget(new["metadata"]["uid"])
            return
        if self._groups is not None:
            self._groups.add(new)
        if new["spec"].get("nodeName"):
            self._on_assigned(old, new)
        elif self._profile_of(new) is not None:
            self._on_unassigned(old, new)
        else:
            self.queue.remove(new["metadata"]["uid"])

    def _on_assigned(self, old: Obj | None, new: Obj) -> None:
        uid = new["metadata"]["uid"]
        self.queue.remove(uid)
        known = self.cache.place_of(uid) is not None
        if old is not None and known and _same_to_us(old, new):
            return
        self.cache.place(PodInfo.of(new), new["spec"]["nodeName"])
        if old is not None and old["spec"].get("nodeName"):
            for event in changes.of_assigned(old, new):
                self.queue.move(Change(event, old, new))
        elif old is not None or not known:
            self.queue.move(Change(Event.POD_ADDED, None, new))

    def _on_unassigned(self, old: Obj | None, new: Obj) -> None:
        uid = new["metadata"]["uid"]
        if is_deleting(new):
            self.queue.remove(uid)
            self.waiters.reject(uid, "removed")
        elif not self.queue.knows(uid):
            if self.cache.place_of(uid) is None:  # otherwise it is bound, and we shall hear of it
                self.queue.add(PodInfo.of(new))
                if self._groups is not None:
                    self.queue.move(Change(Event.UNSCHEDULED_ADDED, None, new))
        else:
            events = changes.of_unscheduled(old, new) if old is not None else ()
            self.queue.update(PodInfo.of(new), [Change(one, old, new) for one in events])

    def _forget(self, uid: str) -> None:
        """Take note that a pod is gone, or will never run again."""
        if self._groups is not None:
            self._groups.remove(uid)
        self.queue.remove(uid)
        self.waiters.reject(uid, "removed")
        nominated, placed = self.cache.unnominate(uid), self.cache.remove(uid)
        if (known := placed or nominated) is not None:
            self._tell_of_room(*known)

    def _give_place_back(self, pod: PodInfo) -> None:
        """Take a pod off the node that it was assumed on: others may need its room."""
        if (placed := self.cache.remove(pod.uid)) is not None:
            self._tell_of_room(*placed)

    def _tell_of_room(self, pod: PodInfo, node: str) -> None:
        gone = {**pod.obj, "spec": {**pod.spec, "nodeName": node}}
        self.queue.move(Change(Event.POD_GONE, gone))

    # The loop.

    def _wake(self) -> None:
        if not self._running and not self._stopped:
            self._running = True
            self._tasks.spawn("scheduler", self._run())

    async def _run(self) -> None:
        try:
            await asyncio.sleep(0)  # let a burst of events come in whole
            tried = 0
            while not self._stopped and (waiting := self.queue.pop()) is not None:
                await self._binding.acquire()
                try:
                    await self._try(waiting)
                except Exception:
                    self._binding.release()
                    log.exception("attempt failed: %s/%s", *waiting.pod.key)
                    self.queue.put_back(waiting)
                tried += 1
                if tried >= _ATTEMPTS_IN_A_ROW or self._looked >= _NODES_IN_A_ROW:
                    tried = self._looked = 0
                    await asyncio.sleep(0)
        finally:
            self._running = False

    async def _try(self, waiting: Waiting) -> None:
        """Try a pod; it waits for nothing but extenders, where there are any."""
        pod = waiting.pod
        cycle = self._cycles.get(pod.scheduler)
        if cycle is None:  # its scheduler is no longer configured
            self.queue.done(pod.uid)
            self._binding.release()
            return
        if self._groups is not None and (key := pod.group) is not None:
            await self._try_group(cycle, waiting, key, self._groups)
            return
        found = await self._look(cycle, waiting)
        if found is None:  # it has gone meanwhile
            self._binding.release()
            return
        outcome, attempt = found
        work = self._next(cycle.profile, waiting, outcome, attempt)
        self._spawn(waiting.pod, outcome, attempt, work)

    async def _look(self, cycle: Cycle, waiting: Waiting) -> tuple[Outcome, Attempt] | None:
        """Find a node for a pod; None where the pod goes while extenders are asked."""
        pod = waiting.pod
        CAUSE.set(waiting.cause)
        attempt = self._attempt(pod, waiting.attempts)
        attempt.because = waiting.because
        if asked := self._extenders.concerned(pod):
            outcome = await self._ask_extenders(cycle, asked, pod, attempt)
            known = self._informers.get(resources.PODS).get(pod.namespace, pod.name)
            if known is None or known["metadata"]["uid"] != pod.uid:
                self.queue.done(pod.uid)
                return None
        else:
            outcome = cycle.run(pod, attempt)
        self._looked += attempt.fitting + len(attempt.refused)
        self.decisions.add(attempt)
        attempt.node, attempt.message = outcome.node, outcome.message
        return outcome, attempt

    def _spawn(self, pod: PodInfo, outcome: Outcome, attempt: Attempt, work: Work) -> None:
        if self.observer is not None:
            self.observer.tried(pod, attempt, outcome)
        self._tasks.spawn("bind" if outcome.node else "refuse", self._released(work, attempt))

    # Groups.

    async def _try_group(
        self, cycle: Cycle, first: Waiting, key: tuple[str, str], groups: Groups
    ) -> None:
        """Try all pods of a group that wait, each against what the others leave."""
        others = self.queue.take(uid for uid in groups.members(key) if uid != first.pod.uid)
        members = by_importance([first, *others])
        trial = Trial(cycle.profile, self.cache)
        try:
            for at, waiting in enumerate(members):
                found = await self._look(cycle, waiting)
                if found is not None and not trial.take(waiting, *found):
                    for left in members[at + 1 :]:
                        self.queue.put_back(left)
                    break
        except Exception:
            trial.give_up()
            for left in others:
                self.queue.put_back(left)
            raise
        trial.decide()
        self._tasks.spawn(
            "group",
            tell(self._writer, self._readers["podgroups"], key, self._clock, *trial.word),
        )
        self._binding.release()
        for one in trial.tries:
            await self._binding.acquire()  # one for each that is bound, or told why it is not
            CAUSE.set(one.waiting.cause)
            work = self._after_group(cycle.profile, one)
            self._spawn(one.waiting.pod, one.outcome, one.attempt, work)

    def _after_group(self, profile: Profile, one: Try) -> Work:
        """Take in what a group's trial means for a member; return what is to be written of it."""
        pod, waiting = one.waiting.pod, one.waiting
        if one.lost is not None:
            one.attempt.message = one.lost.message
            self.queue.put_back(waiting, one.lost.refused_by)
            return partial(self._teller.failed, pod, one.lost)
        if one.assumed and one.outcome.node:
            return partial(self._bind, profile, waiting, one.outcome, one.attempt)
        if one.held_back:
            self.queue.put_back(waiting, (GangScheduling.name,))
            if one.nominated:
                self.cache.nominate(pod, one.nominated)
            failure = binding.Failure(one.outcome.message, GangScheduling.name, rejected=True)
            return partial(self._teller.failed, pod, failure, one.nominated)
        return self._next(profile, waiting, one.outcome, one.attempt)

    def _next(
        self,
        profile: Profile,
        waiting: Waiting,
        outcome: Outcome,
        attempt: Attempt,
    ) -> Work:
        """Take in what came of an attempt; return what is to be written of it."""
        pod = waiting.pod
        if outcome.error:
            self.queue.put_back(waiting)
            failure = binding.Failure(outcome.message, "", rejected=False)
            return partial(self._teller.failed, pod, failure)
        if outcome.node and (lost := self._reserve(profile, pod, outcome)) is not None:
            attempt.message = lost.message
            self.queue.put_back(waiting, lost.refused_by)
            return partial(self._teller.failed, pod, lost)
        if outcome.node:
            self.cache.place(pod, outcome.node)
            return partial(self._bind, profile, waiting, outcome, attempt)
        self.queue.put_back(waiting, outcome.refused_by)
        if outcome.preemption is not None:
            self.cache.nominate(pod, outcome.preemption.node)
        return partial(self._teller.refused, pod, outcome)

    async def _ask_extenders(
        self, cycle: Cycle, asked: Sequence[Extender], pod: PodInfo, attempt: Attempt
    ) -> Outcome:
        found = cycle.look(pod, attempt)
        if isinstance(found, Outcome):
            return found
        try:
            found.fitting = await self._extenders.filter(asked, pod, found.fitting, attempt)
        except ExtenderError as error:
            return Outcome(message=str(error), error=True)
        more = []
        if len(found.fitting) > 1:
            more = await self._extenders.prioritize(asked, pod, found.fitting)
        outcome = cycle.settle(pod, attempt, found, more)
        if outcome.candidates:
            await self._ask_for_victims(asked, pod, outcome, attempt)
        return outcome

    async def _ask_for_victims(
        self, asked: Sequence[Extender], pod: PodInfo, outcome: Outcome, attempt: Attempt
    ) -> None:
        """Let extenders have a say in where room is made, and who has to go."""
        nodes = {node.name: node for node in self.cache.nodes}
        given, left = outcome.candidates, list[Candidate]()
        try:
            left = await self._extenders.preempt(asked, pod, given, nodes, attempt)
            why = "no candidate node for preemption"
        except ExtenderError as error:
            why = str(error)
        outcome.candidates, attempt.candidates = left, choices(left)
        if not left:
            outcome.message = f"{outcome.message} preemption: {why}"

    async def _released(self, work: Work, attempt: Attempt) -> None:
        # Called here, so that a task that is cancelled before it begins leaves nothing behind.
        try:
            await work()
        finally:
            self._binding.release()
            self.decisions.over(attempt)

    def _reserve(self, profile: Profile, pod: PodInfo, outcome: Outcome) -> binding.Failure | None:
        state, node = outcome.state, self.cache.node(outcome.node)
        if state is None or node is None:
            return None
        return binding.reserve(profile, state, pod, node)

    async def _bind(
        self, profile: Profile, waiting: Waiting, outcome: Outcome, attempt: Attempt
    ) -> None:
        """Do all that comes before a pod is bound, and bind it; or give its place back."""
        pod, state, node = waiting.pod, outcome.state, outcome.node
        failure = None
        if state is not None:
            failure = await self._prepare(profile, state, pod, node, attempt)
        began = time.perf_counter()
        if failure is None:
            failure = await self._write_binding(pod, node)
        if failure is None:
            self.queue.done(pod.uid)
            attempt.seconds["bind"] = time.perf_counter() - began
            self._teller.bound(pod, node)
            if self.observer is not None:
                self.observer.bound(waiting, node, attempt)
            return
        if state is not None:
            binding.unreserve(profile, state, pod, node)
        self._give_place_back(pod)
        if not failure.message:  # the pod has gone meanwhile
            self.queue.done(pod.uid)
            return
        attempt.message = failure.message
        log.warning("not bound: %s/%s: %s", *pod.key, failure.message)
        if self.observer is not None:
            self.observer.failed(pod, attempt, failure.message)
        self.queue.put_back(waiting, failure.refused_by)
        await self._teller.failed(pod, failure)

    async def _prepare(
        self, profile: Profile, state: CycleState, pod: PodInfo, node: str, attempt: Attempt
    ) -> binding.Failure | None:
        """Ask the permit and preBind plugins. Others are bound meanwhile."""
        failure, plugin, seconds = binding.permit(profile, state, pod, node)
        if failure is None and not plugin and pod.group and self._groups is not None:
            for uid in self._groups.members(pod.group):
                self.waiters.allow(uid)
        if failure is not None or not (plugin or binding.has_work(profile, state, pod)):
            return failure
        began = time.perf_counter()
        self._binding.release()
        try:
            if plugin:
                why = await self.waiters.wait(pod, plugin, seconds)
                attempt.seconds["permit"] = time.perf_counter() - began
                if why:
                    return binding.refused(plugin, [why])
            began = time.perf_counter()
            failure = await binding.pre_bind(profile, state, pod, node, self._writer)
            attempt.seconds["preBind"] = time.perf_counter() - began
        finally:
            await self._binding.acquire()
        return failure

    async def _write_binding(self, pod: PodInfo, node: str) -> binding.Failure | None:
        try:
            if await self._extenders.bind(pod, node):
                return None
        except ExtenderError as error:
            return binding.Failure(str(error), "Extender", rejected=False)
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
            "target": {"kind": "Node", "name": node},
        }
        try:
            await self._client.create(body, resources.PODS, subresource="binding", name=pod.name)
        except NotFound:
            return binding.Failure("", "", rejected=False)
        except ApiError as error:
            why = f'running Bind plugin "DefaultBinder": {error.message}'
            return binding.Failure(why, "DefaultBinder", rejected=False)
        return None


def _same_to_us(old: Obj, new: Obj) -> bool:
    """Tell whether nothing changed but what scheduling does not look at."""
    before, after = old["metadata"], new["metadata"]
    return (
        bool(old["spec"].get("nodeName")) == bool(new["spec"].get("nodeName"))
        and before.get("labels") == after.get("labels")
        and before.get("generation") == after.get("generation")
        and (old["spec"] is new["spec"] or old["spec"] == new["spec"])
    )
