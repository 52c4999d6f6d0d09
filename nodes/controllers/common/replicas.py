"""Keeping a number of pods: what ReplicaSets and ReplicationControllers have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence

from apimachinery.errors import ApiError
from apimachinery.labels import Selector
from apimachinery.meta import Obj, controller_of, is_deleting, labels_of, namespace_of, uid_of
from apimachinery.pods import is_active
from apimachinery.workloads import desired_replicas
from nodes.client.controller import DONE, Result
from nodes.client.expectations import Expectations
from nodes.client.klog import kobj
from nodes.client.lister import Key, key_of
from nodes.client.resources import PODS
from nodes.controllers.common import conditions, podfacts
from nodes.controllers.common.alike import REPLICAS, Alike, alike, count_replicas
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.claims import ORPHANS, Claims, candidates, index_orphans
from nodes.controllers.common.podcontrol import PodControl, first, pod_from_template, slow_start

# No more at once than this, so that one object does not hold all others up.
BURST = 500


class ReplicaController(ManagedController):
    """Creates and deletes pods until there are as many as the spec says, and counts them."""

    counts_terminating = False

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self.expectations = Expectations(context.clock)
        self._pods = PodControl(self.client, self.recorder)
        self._claims = Claims(self.client, self.reconciles, PODS)

    @abstractmethod
    def selector_of(self, owner: Obj) -> Selector:
        """Return which pods the owner selects."""

    @abstractmethod
    def related_pods(self, owner: Obj) -> list[Obj]:
        """Return the pods that count as crowding a node beside the owner's."""

    def start(self) -> None:
        super().start()
        pods = self.informer(PODS)
        index_orphans(pods)
        count_replicas(pods)
        pods.on_change(self._on_pod)

    async def reconcile(self, key: Key) -> Result:
        owner = self.informer(self.reconciles).get(*key)
        if owner is None:
            self.expectations.forget(key)
            return DONE
        settled = self.expectations.satisfied(key)
        selector = self.selector_of(owner)
        counted = dict(self.informer(PODS).tally(REPLICAS, uid_of(owner)))
        active: Mapping[Alike, int] = {one: n for one, n in counted.items() if one.active}
        pods: Sequence[Obj] = ()
        if self._has_to_look(owner, selector, active):
            pods = await self._claimed(owner, selector)
            active = Counter(alike(pod, timed=True) for pod in pods)
        error: ApiError | None = None
        difference = sum(active.values()) - desired_replicas(owner)
        if settled and not is_deleting(owner):
            error = await self._manage(key, owner, pods, difference)
        terminating = self._terminating(selector, counted)
        soonest = await self._report(owner, active, terminating, difference, error)
        if error is not None:
            raise error
        return Result(requeue_after=soonest) if soonest is not None else DONE

    def _has_to_look(self, owner: Obj, selector: Selector, active: Mapping[Alike, int]) -> bool:
        """Tell whether the pods themselves matter, and not their numbers alone.

        They do if some have to go, may be adopted or released, or count from a moment on.
        """
        return (
            bool(owner["spec"].get("minReadySeconds"))
            or sum(active.values()) > desired_replicas(owner)
            or not all(selector.matches(dict(one.labels)) for one in active)
            or any(
                is_active(pod) and selector.matches(labels_of(pod))
                for pod in self.informer(PODS).by_index(ORPHANS, namespace_of(owner))
            )
        )

    async def _claimed(self, owner: Obj, selector: Selector) -> list[Obj]:
        """Return the owner's active pods, those that it has adopted just now among them."""
        found = candidates(self.informer(PODS), owner)
        active = [pod for pod in found if is_active(pod)]
        return await self._claims.claim(owner, selector, active)

    # The number of pods.

    async def _manage(
        self, key: Key, owner: Obj, active: Sequence[Obj], surplus: int
    ) -> ApiError | None:
        count = min(abs(surplus), BURST)
        if surplus < 0:
            self._say("replica_set.go:655", "Too few replicas", owner, "creating", count)
            return await self._create(key, owner, count)
        if surplus > 0:
            self._say("replica_set.go:690", "Too many replicas", owner, "deleting", count)
            return await self._delete(key, owner, active, count)
        return None

    def _say(self, where: str, what: str, owner: Obj, doing: str, count: int) -> None:
        need = ("replicaSet", kobj(owner), "need", desired_replicas(owner))
        self.context.klog.info(where, what, "logger", self.name, *need, doing, count)

    async def _create(self, key: Key, owner: Obj, count: int) -> ApiError | None:
        self.expectations.expect_creations(key, count)
        template = owner["spec"].get("template") or {}

        async def attempt() -> bool:
            created = await self._pods.create(pod_from_template(template, owner), owner)
            return created is not None

        done, error = await slow_start(count, attempt)
        if done < count:
            # Neither refused nor skipped pods are going to be seen.
            self.expectations.creation_observed(key, count - done)
        return error

    async def _delete(
        self, key: Key, owner: Obj, active: Sequence[Obj], count: int
    ) -> ApiError | None:
        chosen: Sequence[Obj] = active
        if count < len(active):
            related = self.related_pods(owner)
            now = self.clock.seconds()
            chosen = podfacts.deletion_order(active, related, now)[:count]
        self.expectations.expect_deletions(key, [uid_of(pod) for pod in chosen])

        def unseen(pod: Obj) -> None:
            self.expectations.deletion_observed(key, uid_of(pod))

        return first(await self._pods.delete_all(chosen, owner, unseen))

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        """Wake whom a pod concerns, and note what was expected."""
        pod = new if new is not None else old
        if pod is None:
            return
        if old is not None and new is not None:
            self._on_changed_hands(old, new)
        owner = self.owner_of(pod)
        if owner is not None:
            key = key_of(owner)
            if new is None or is_deleting(new):
                self.expectations.deletion_observed(key, uid_of(pod))
            elif old is None:
                self.expectations.creation_observed(key)
            self.queue.add(key)
        elif new is not None and controller_of(new) is None and not is_deleting(new):
            self._wake_matching(new)

    def _on_changed_hands(self, old: Obj, new: Obj) -> None:
        if old["metadata"].get("ownerReferences") != new["metadata"].get("ownerReferences"):
            before = self.owner_of(old)
            if before is not None:
                self.queue.add(key_of(before))

    def _wake_matching(self, pod: Obj) -> None:
        """An orphan: whoever selects it may adopt it."""
        labels = labels_of(pod)
        if not labels:
            return
        for owner in self.informer(self.reconciles).list(namespace_of(pod)):
            if self.selector_of(owner).matches(labels):
                self.queue.add(key_of(owner))

    # The status.

    def _terminating(self, selector: Selector, counted: Mapping[Alike, int]) -> int | None:
        if not self.counts_terminating:
            return None
        return sum(
            count
            for one, count in counted.items()
            if one.terminating and selector.matches(dict(one.labels))
        )

    async def _report(
        self,
        owner: Obj,
        active: Mapping[Alike, int],
        terminating: int | None,
        difference: int,
        error: ApiError | None,
    ) -> float | None:
        """Write the status if it has changed; return when to look at availability again."""
        counts, soonest = self._count(owner, active)
        old = owner.get("status") or {}
        status: Obj = {"replicas": sum(active.values())}
        status |= {name: count for name, count in counts.items() if count}
        if terminating is not None:
            status["terminatingReplicas"] = terminating
        failing = self._failure(old.get("conditions"), difference, error)
        if failing:
            status["conditions"] = failing
        status["observedGeneration"] = owner["metadata"].get("generation", 0)
        if status != old:
            await self.client.update_status({**owner, "status": status}, self.reconciles)
        return soonest

    def _count(
        self, owner: Obj, active: Mapping[Alike, int]
    ) -> tuple[dict[str, int], float | None]:
        spec = owner["spec"]
        wanted = labels_of(spec.get("template") or {}).items()
        min_ready = int(spec.get("minReadySeconds") or 0)
        labelled = ready = available = 0
        waits: list[float] = []
        now = self.clock.seconds()
        for one, count in active.items():
            labelled += count if wanted <= dict(one.labels).items() else 0
            wait = podfacts.left_to_wait(one.since, min_ready, now) if one.ready else None
            if wait is None:
                continue
            ready += count
            if wait > 0:
                waits.append(wait)
            else:
                available += count
        counts = {
            "fullyLabeledReplicas": labelled,
            "readyReplicas": ready,
            "availableReplicas": available,
        }
        return counts, min(waits) if waits else None

    def _failure(
        self, old: Sequence[Obj] | None, difference: int, error: ApiError | None
    ) -> list[Obj]:
        if error is None:
            return conditions.without(old, "ReplicaFailure")
        if conditions.find(old, "ReplicaFailure") is not None:
            return list(old or ())
        reason = "FailedCreate" if difference < 0 else "FailedDelete"
        at = self.clock.timestamp()
        failed = conditions.condition("ReplicaFailure", "True", reason, error.message, at)
        return conditions.put_last(old, failed)
