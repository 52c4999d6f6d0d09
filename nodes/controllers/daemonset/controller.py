"""DaemonSets: one pod on each node that takes it, replaced a few at a time.

The pods are made for their node (by affinity) and bound by the scheduler like any other.
"""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.errors import ApiError
from apimachinery.labels import Selector, from_label_selector
from apimachinery.meta import (
    Obj,
    annotations_of,
    controller_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from apimachinery.pods import is_ready, is_terminal, phase_of
from nodes.client.controller import DONE, Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.expectations import Expectations
from nodes.client.lister import Key, key_of
from nodes.client.resources import CONTROLLERREVISIONS, DAEMONSETS, NODES, PODS
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.claims import Claims, candidates, index_orphans
from nodes.controllers.common.podcontrol import PodControl, first, pod_from_template, slow_start
from nodes.controllers.common.revisions import POD_HASH, Revisions, hash_of
from nodes.controllers.daemonset import placement, rollout
from nodes.controllers.daemonset.backoff import FailedPods
from nodes.controllers.daemonset.placement import fit
from nodes.controllers.daemonset.rollout import GENERATION, POD_GENERATION, Plan, Seen


class DaemonSetController(ManagedController):
    """Keys are DaemonSets."""

    name = "daemonset-controller"
    service_account = "daemon-set-controller"
    component = "daemonset-controller"
    reconciles = DAEMONSETS

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self.expectations = Expectations(context.clock)
        self._pods = PodControl(self.client, self.recorder)
        self._claims = Claims(self.client, DAEMONSETS, PODS)
        self._revisions = Revisions(self.client, DAEMONSETS, POD_HASH)
        self._failed = FailedPods()

    def start(self) -> None:
        super().start()
        for resource in (PODS, CONTROLLERREVISIONS):
            index_orphans(self.informer(resource))
        self.informer(PODS).on_change(self._on_pod)
        self.informer(NODES).on_change(self._on_node)

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        pod = new if new is not None else old
        if pod is None:
            return
        owner = self.owner_of(pod)
        if owner is not None:
            key = key_of(owner)
            if new is None or is_deleting(new):
                self.expectations.deletion_observed(key, uid_of(pod))
            elif old is None:
                self.expectations.creation_observed(key)
            self.queue.add(key)
        elif new is not None and controller_of(new) is None and not is_deleting(new):
            for one in self.informer(DAEMONSETS).list(namespace_of(new)):
                if self._selector(one).matches(labels_of(new)):
                    self.queue.add(key_of(one))

    def _on_node(self, old: Obj | None, new: Obj | None) -> None:
        """Wake those for whom a node has begun or ceased to fit."""
        for one in self.informer(DAEMONSETS).list():
            template = one["spec"]["template"]
            fits = [fit(template, node) if node is not None else None for node in (old, new)]
            if fits[0] != fits[1]:
                self.queue.add(key_of(one))

    def _selector(self, daemonset: Obj) -> Selector:
        return from_label_selector(daemonset["spec"].get("selector"))

    async def reconcile(self, key: Key) -> Result:
        daemonset = self.informer(DAEMONSETS).get(*key)
        if daemonset is None:
            self.expectations.forget(key)
            self._failed.forget(key)
            return DONE
        if is_deleting(daemonset):
            return DONE
        settled = self.expectations.satisfied(key)
        found = candidates(self.informer(PODS), daemonset)
        pods = await self._claims.claim(daemonset, self._selector(daemonset), found)
        history = await self._revisions.claimed(
            daemonset, candidates(self.informer(CONTROLLERREVISIONS), daemonset)
        )
        collisions = int((daemonset.get("status") or {}).get("collisionCount") or 0)
        revision, collisions = await self._revisions.present(daemonset, history, collisions)
        hashed = hash_of(revision)
        fits = {
            name_of(node): fit(daemonset["spec"]["template"], node)
            for node in self.informer(NODES).list()
        }
        by_node: dict[str, list[Obj]] = {}
        for pod in pods:
            by_node.setdefault(placement.target(pod), []).append(pod)
        seen = Seen(daemonset, hashed, fits, by_node, self.clock.seconds())
        error: ApiError | None = None
        waits: list[float] = []
        if settled:
            error = await self._act(key, seen, self._plan(key, seen, waits))
        await self._report(seen, collisions, waits, acted=settled)
        live = {name_of(revision)} | {
            name_of(one)
            for one in history
            if hash_of(one) in {labels_of(pod).get(POD_HASH) for pod in pods}
        }
        await self._revisions.clean_up(daemonset, history, live)
        if error is not None:
            raise error
        return Result(requeue_after=min(waits, default=None))

    # Where pods are missing, and where there are too many.

    def _plan(self, key: Key, seen: Seen, waits: list[float]) -> Plan:
        """Return what is to be done now; what has to wait says for how long."""
        plan = Plan()
        surging = seen.limits()[0] > 0
        for node, fitting in seen.fits.items():
            there = seen.by_node.get(node, [])
            alive = [pod for pod in there if not is_deleting(pod)]
            running = [pod for pod in alive if not is_terminal(pod)]
            if not fitting.stay:
                plan.delete += alive
                continue
            if failed := [pod for pod in alive if is_terminal(pod)]:
                if left := self._failed.left(key, node, seen.now):
                    waits.append(left)
                else:
                    self._tell_failed(seen.obj, node, failed)
                    plan.delete += failed
            if fitting.run and not (running if surging and not failed else there):
                plan.create.append(node)
            plan.delete += rollout.surplus(seen, running, surging=surging)
        return plan if plan.delete or plan.create else rollout.plan(seen)

    async def _act(self, key: Key, seen: Seen, plan: Plan) -> ApiError | None:
        if not plan.delete and not plan.create:
            return None
        uids = [uid_of(pod) for pod in plan.delete]
        self.expectations.expect(key, creations=len(plan.create), deletions=uids)
        error = await self._create(key, seen, plan.create)
        return await self._delete(key, seen.obj, plan.delete) or error

    def _tell_failed(self, daemonset: Obj, node: str, failed: Sequence[Obj]) -> None:
        for pod in failed:
            kind = "failed" if phase_of(pod) == "Failed" else "succeeded"
            words = f"Found {kind} daemon pod {namespace_of(pod)}/{name_of(pod)} on node {node}"
            if kind == "failed":
                message = f"{words}, will try to kill it"
                self.recorder.event(daemonset, WARNING, "FailedDaemonPod", message)
            else:
                message = f"{words}, will try to delete it"
                self.recorder.event(daemonset, NORMAL, "SucceededDaemonPod", message)

    async def _create(self, key: Key, seen: Seen, nodes: Sequence[str]) -> ApiError | None:
        daemonset = seen.obj
        template = daemonset["spec"]["template"]
        generation = annotations_of(daemonset).get(GENERATION)
        waiting = iter(nodes)

        async def attempt() -> bool:
            pod = pod_from_template(template, daemonset)
            labels = {**labels_of(pod), POD_HASH: seen.hashed}
            if generation is not None:
                labels[POD_GENERATION] = generation
            pod["metadata"]["labels"] = labels
            pod["spec"] = placement.pinned(pod["spec"], next(waiting))
            return await self._pods.create(pod, daemonset) is not None

        done, error = await slow_start(len(nodes), attempt)
        if done < len(nodes):
            self.expectations.creation_observed(key, len(nodes) - done)
        return error

    async def _delete(self, key: Key, daemonset: Obj, pods: Sequence[Obj]) -> ApiError | None:
        def unseen(pod: Obj) -> None:
            self.expectations.deletion_observed(key, uid_of(pod))

        return first(await self._pods.delete_all(pods, daemonset, unseen))

    # The status.

    async def _report(
        self, seen: Seen, collisions: int, waits: list[float], *, acted: bool
    ) -> None:
        """Write the status if it has changed; `waits` gets when to look at availability again.

        A generation is observed once it has been acted on, not while pods are still to be seen.
        """
        daemonset, wanted = seen.obj, seen.wanted
        scheduled = ready = available = updated = 0
        for node in wanted:
            pods = [pod for pod in seen.by_node.get(node, ()) if not is_deleting(pod)]
            if not pods:
                continue
            scheduled += 1
            oldest = min(pods, key=rollout.age)
            updated += seen.is_current(oldest)
            ready += is_ready(oldest)
            available += seen.is_available(oldest)
            waits += [left for pod in pods if (left := seen.available_in(pod))]
        misplaced = sum(
            1 for node, one in seen.fits.items() if not one.run and seen.by_node.get(node)
        )
        given = daemonset.get("status") or {}
        generation = daemonset["metadata"].get("generation") or 0
        status: Obj = {
            "currentNumberScheduled": scheduled,
            "numberMisscheduled": misplaced,
            "desiredNumberScheduled": len(wanted),
            "numberReady": ready,
            "observedGeneration": generation if acted else given.get("observedGeneration") or 0,
        }
        more = {
            "updatedNumberScheduled": updated,
            "numberAvailable": available,
            "numberUnavailable": len(wanted) - available,
            "collisionCount": collisions,
        }
        status |= {name: count for name, count in more.items() if count}
        if status != given:
            await self.client.update_status({**daemonset, "status": status}, DAEMONSETS)
