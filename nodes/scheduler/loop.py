"""The scheduler's loop: pods in, bindings out.

A pod is tried synchronously against the cache, assumed on its node at once, and bound while the
next is tried. A binding that fails takes the assumption back. The loop has no task while no pod
is active.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Collection, Mapping, Sequence

from apimachinery.clock import Clock
from apimachinery.features import GROUP_CLAIMS, TAINT_RULES
from apimachinery.meta import Obj
from nodes.client import resources
from nodes.client.cause import CAUSE
from nodes.client.events import Recorder
from nodes.client.informer import Informers
from nodes.client.rest import Client
from nodes.client.supervise import TaskSet
from nodes.scheduler import binding
from nodes.scheduler.asking import Asking
from nodes.scheduler.attempt import Attempt
from nodes.scheduler.binder import Binder
from nodes.scheduler.cache import Cache
from nodes.scheduler.config.reading import DEFAULT_SCHEDULER, Configuration
from nodes.scheduler.cycle import Cycle, Outcome
from nodes.scheduler.decisions import Decisions
from nodes.scheduler.evictions import EVERYWHERE, Evictions, Preemptor, Room
from nodes.scheduler.extenders import Ask, Extenders, no_ask
from nodes.scheduler.following import Follower
from nodes.scheduler.framework import GroupPlugin, Reader
from nodes.scheduler.grouping import Grouping
from nodes.scheduler.groups import ERROR, Groups, tell
from nodes.scheduler.hints import Hints
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.observing import Observer
from nodes.scheduler.plugins.defaults import DefaultPreemption
from nodes.scheduler.plugins.topology_placement import TopologyPlacement
from nodes.scheduler.podgroup import GroupFeatures, Key
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.preemption import Candidate, choices
from nodes.scheduler.profile import NO_GROUPS, Profile
from nodes.scheduler.queue import Queue
from nodes.scheduler.settling import Settler
from nodes.scheduler.status import Patcher
from nodes.scheduler.telling import Teller
from nodes.scheduler.trials import Trial, Try, by_importance
from nodes.scheduler.voices import Voices
from nodes.scheduler.waiting import Waiting

log = logging.getLogger(__name__)

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
    "csidrivers": resources.CSIDRIVERS,
    "csistoragecapacities": resources.CSISTORAGECAPACITIES,
    "volumeattachments": resources.VOLUMEATTACHMENTS,
    "namespaces": resources.NAMESPACES,
    "resourceclaims": resources.RESOURCECLAIMS,
    "resourceslices": resources.RESOURCESLICES,
    "deviceclasses": resources.DEVICECLASSES,
    "poddisruptionbudgets": resources.PODDISRUPTIONBUDGETS,
    "pods": resources.PODS,
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
        groups: GroupFeatures | None = None,
        features: Collection[str] = (),
    ) -> None:
        """`groups`: pods of a PodGroup are scheduled together, and how.

        `features`: what is on of `apimachinery.features`.
        """
        self._informers = informers
        self._clock, self._tasks, self._ask = clock, tasks, ask
        self.cache = Cache()
        self.queue = Queue(clock, self._wake, lambda pod: self.kept_out(pod)[0])
        self.decisions = Decisions()
        kinds = dict(_READ)
        if groups is not None or GROUP_CLAIMS in features:
            kinds["podgroups"] = resources.PODGROUPS
        if TAINT_RULES in features:
            kinds["devicetaintrules"] = resources.DEVICETAINTRULES
        self._readers: dict[str, Reader] = {n: informers.get(res) for n, res in kinds.items()}
        self._features = groups or NO_GROUPS
        self._groups = Groups(self.cache) if groups else None
        self._grouping = self._by_groups(self._groups) if self._groups is not None else None
        self._cycles: dict[str, Cycle] = {}
        voices = Voices(recorder)
        self._writer = binding.Writer(client, kinds, clock, voices)
        self.waiters = binding.Waiters(clock)
        self._running = self._stopped = False
        self._looked = 0
        self._slots = asyncio.Semaphore(_BINDINGS)
        self._follower = Follower(
            self.cache,
            self.queue,
            self._groups,
            self._writer,
            self.waiters,
            lambda pod: self._profile_of(pod) is not None,
        )
        patcher = Patcher(client, clock)
        self._binder = Binder(
            client, self._writer, self.waiters, self._groups, self._slots, patcher
        )
        self._evictions = Evictions(
            client,
            patcher,
            self.cache,
            self._readers["pods"],
            voices,
            self._binder.interrupt,
            self.queue.activate,
        )
        self._settler = Settler(
            self.cache,
            self.queue,
            self.decisions,
            Teller(voices, patcher, self._writer),
            self._evictions,
            self._binder,
            self._follower.give_back,
            self._slots,
            tasks,
        )
        self.configure(Configuration())

    @property
    def observer(self) -> Observer | None:
        """Return who counts and logs: there is one where somebody can read it."""
        return self._settler.observer

    @observer.setter
    def observer(self, observer: Observer) -> None:
        self._settler.observer = self._evictions.observer = observer

    @property
    def profiles(self) -> list[Profile]:
        return [cycle.profile for cycle in self._cycles.values()]

    def configure(self, configuration: Configuration) -> None:
        """Schedule by other rules from now on. Raises ConfigError, and goes on by the old ones."""
        profiles = [Profile(one, self._features) for one in configuration.completed()]
        for plugin in (plugin for one in profiles for plugin in one.plugins.values()):
            if isinstance(plugin, GroupPlugin) and self._groups is not None:
                plugin.groups, plugin.group_objects = self._groups, self._readers["podgroups"]
            if isinstance(plugin, DefaultPreemption):
                plugin.running, plugin.features = self._evictions.running, self._features
        self.configuration = configuration
        self._cycles = {one.name: self._cycle_on(self.cache, one) for one in profiles}
        self.queue.hints = Hints(
            {one.name: tuple(one.plugins.values()) for one in profiles},
            self._readers,
            extenders=bool(configuration.extenders),
        )
        self._extenders = Extenders(configuration.extenders, self._ask)
        self._binder.extenders = self._extenders
        self._asking = Asking(self._extenders, self.cache)
        self.queue.backoff = (configuration.first_backoff, configuration.longest_backoff)
        for pod in self._informers.get(resources.PODS).list():
            # Pods of schedulers that there were not, or are no longer.
            self._follower.on_pod(None, pod)
        self.queue.move_all()

    def start(self) -> None:
        self._follower.follow(self._informers, taint_rules="devicetaintrules" in self._readers)

    def stop(self) -> None:
        self._stopped = True
        self.queue.close()

    def _cycle_on(self, cache: Cache, profile: Profile, *, looks_at_all: bool = False) -> Cycle:
        chance = random.Random(0)  # noqa: S311 - a tie-break that can be repeated
        extended = any(one.filter or one.prioritize for one in self.configuration.extenders)
        return Cycle(
            cache, profile, self._readers, chance, looks_at_all=looks_at_all, extended=extended
        )

    def _by_groups(self, groups: Groups) -> Grouping:
        def makes_no_room(cache: Cache, profile: Profile) -> Cycle:
            chance = random.Random(0)  # noqa: S311 - a tie-break that can be repeated
            return Cycle(cache, profile, self._readers, chance, makes_room=False)

        return Grouping(
            self.cache, groups, self._readers, self._features, self._look, makes_no_room
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
                await self._slots.acquire()
                try:
                    await self._try(waiting)
                except Exception:
                    self._slots.release()
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
            self._slots.release()
            return
        if self._grouping is not None and (key := pod.group) is not None:
            await self._try_group(cycle, waiting, key, self._grouping)
            return
        found = await self._look(cycle, waiting)
        if found is None:  # it has gone meanwhile
            self._slots.release()
            return
        outcome, attempt = found
        self.decisions.add(attempt)
        work = self._settler.next(cycle.profile, waiting, outcome, attempt)
        self._settler.spawn(waiting.pod, outcome, attempt, work)

    async def _look(
        self, cycle: Cycle, waiting: Waiting, within: Sequence[NodeInfo] | None = None
    ) -> tuple[Outcome, Attempt] | None:
        """Find a node for a pod; None where the pod goes while extenders are asked."""
        pod = waiting.pod
        CAUSE.set(waiting.cause)
        attempt = self._attempt(pod, waiting.attempts)
        attempt.because = waiting.because
        if asked := self._extenders.concerned(pod):
            outcome = await self._asking.run(cycle, asked, pod, attempt, within)
            known = self._informers.get(resources.PODS).get(pod.namespace, pod.name)
            if known is None or known["metadata"]["uid"] != pod.uid:
                self.queue.done(pod.uid)
                return None
        else:
            outcome = cycle.run(pod, attempt, within)
        self._looked += attempt.fitting + len(attempt.refused)
        attempt.node, attempt.message = outcome.node, outcome.message
        return outcome, attempt

    # Groups.

    async def _try_group(self, cycle: Cycle, first: Waiting, key: Key, grouping: Grouping) -> None:
        """Try all pods of a group that wait, each against what the others leave."""
        uids = self._groups.members(key) if self._groups is not None else ()
        others = self.queue.take((uid for uid in uids if uid != first.pod.uid), first.because)
        members = by_importance([first, *others])
        try:
            trial = await grouping.run(cycle, key, members)
        except Exception:
            for left in others:
                self.queue.put_back(left)
            raise
        trial.decide()
        self._also(trial)
        self._tasks.spawn("group", self._group_settled(key, trial, self._begin_room(key, trial)))
        self._slots.release()
        for one in trial.tries:
            one.attempt.group = key[1]
            await self._slots.acquire()  # one for each that is bound, or told why it is not
            self.decisions.add(one.attempt)
            if not (one.assumed or self.queue.knows(one.waiting.pod.uid)):
                self._slots.release()  # it has gone meanwhile, and needs no room
                self.decisions.over(one.attempt)
                continue
            CAUSE.set(one.waiting.cause)
            work = self._settler.after_group(cycle.profile, one)
            self._settler.spawn(one.waiting.pod, one.outcome, one.attempt, work)

    def _also(self, trial: Trial) -> None:
        """Have those say why who were not tried at all."""
        verdict = trial.verdict
        for waiting in trial.left:
            attempt = self._attempt(waiting.pod, waiting.attempts)
            attempt.because, attempt.message = waiting.because, verdict.message
            outcome = Outcome(
                message=verdict.message,
                refused_by={TopologyPlacement.name},
                error=verdict.reason == ERROR,
                of_group=True,
            )
            trial.tries.append(Try(waiting, attempt, outcome))

    def _begin_room(self, key: Key, trial: Trial) -> Room | None:
        """Take note of whom a group needs to go, before its members wait again."""
        group = self._readers["podgroups"].get(*key)
        if group is None or not trial.verdict.victims:
            return None
        preemptor = Preemptor.of_group(group, [one.waiting.pod for one in trial.tries])
        choice = Candidate(EVERYWHERE, tuple(trial.verdict.victims), 0)
        for one in trial.tries:
            one.attempt.candidates = choices([choice])
        return self._evictions.begin(preemptor, EVERYWHERE, trial.verdict.victims)

    async def _group_settled(self, key: Key, trial: Trial, room: Room | None) -> None:
        """Write what came of a group, and send those away who have to go for it."""
        verdict, reader = trial.verdict, self._readers["podgroups"]
        if self.observer is not None:
            self.observer.group("/".join(key), trial)
        try:
            await tell(self._writer, reader, key, self._clock, verdict.reason, verdict.message)
        finally:
            if room is not None:
                await self._evictions.run(room)
