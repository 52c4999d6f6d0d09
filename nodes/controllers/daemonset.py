"""DaemonSets: one pod on each node that takes it, replaced a few at a time.

The pods are made for their node (by affinity) and bound by the scheduler like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from apimachinery.errors import ApiError, NotFound
from apimachinery.intorstring import scaled
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
from apimachinery.nodes import (
    NO_EXECUTE,
    NO_SCHEDULE,
    fits_node_requirements,
    taints_of,
    untolerated,
)
from apimachinery.pods import is_ready, is_terminal, node_name, phase_of
from nodes.client.controller import DONE, Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.expectations import Expectations
from nodes.client.lister import Key, key_of
from nodes.client.resources import CONTROLLERREVISIONS, DAEMONSETS, NODES, PODS
from nodes.controllers.common import podfacts
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.claims import Claims, candidates, index_orphans
from nodes.controllers.common.podcontrol import PodControl, pod_from_template, slow_start
from nodes.controllers.common.revisions import HASH, POD_HASH, Revisions

GENERATION = "deprecated.daemonset.template.generation"
_POD_GENERATION = "pod-template-generation"

# A daemon stays whatever is wrong with its node.
_TOLERATED = (
    ("node.kubernetes.io/not-ready", NO_EXECUTE),
    ("node.kubernetes.io/unreachable", NO_EXECUTE),
    ("node.kubernetes.io/disk-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/memory-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/pid-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/unschedulable", NO_SCHEDULE),
)
_HOST_NETWORK = ("node.kubernetes.io/network-unavailable", NO_SCHEDULE)


class _Fit(NamedTuple):
    """Whether a daemon is to start on a node, and whether one that is there may stay."""

    run: bool
    stay: bool


def tolerations_of(spec: Obj) -> list[Obj]:
    """Return a pod's tolerations and those that every daemon has."""
    given = list(spec.get("tolerations") or ())
    wanted = [*_TOLERATED, *([_HOST_NETWORK] if spec.get("hostNetwork") else [])]
    for key, effect in wanted:
        toleration = {"key": key, "operator": "Exists", "effect": effect}
        if toleration not in given:
            given.append(toleration)
    return given


def pinned(spec: Obj, node: str) -> Obj:
    """Return a pod spec that fits one node alone, whatever node affinity it had besides."""
    affinity = spec.get("affinity") or {}
    by_node = affinity.get("nodeAffinity") or {}
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    # The controller has checked the given terms itself; only the node is left to say.
    terms = [{"matchFields": [field]}]
    by_node = {
        **by_node,
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms},
    }
    return {
        **spec,
        "affinity": {**affinity, "nodeAffinity": by_node},
        "tolerations": tolerations_of(spec),
    }


def fit(template: Obj, node: Obj) -> _Fit:
    """Tell whether a daemon belongs on a node: selectors and affinity, then taints."""
    spec = {**template["spec"], "tolerations": tolerations_of(template["spec"])}
    if spec.get("nodeName") and spec["nodeName"] != name_of(node):
        return _Fit(run=False, stay=False)
    if not fits_node_requirements({"spec": spec}, node):
        return _Fit(run=False, stay=False)
    taints, tolerations = taints_of(node), spec["tolerations"]
    if untolerated(taints, tolerations, (NO_EXECUTE,)):
        return _Fit(run=False, stay=False)
    return _Fit(run=not untolerated(taints, tolerations), stay=True)


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
        self._revisions = Revisions(self.client, DAEMONSETS)

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
        hashed = labels_of(revision).get(HASH, "")
        fits = {
            name_of(node): fit(daemonset["spec"]["template"], node)
            for node in self.informer(NODES).list()
        }
        by_node: dict[str, list[Obj]] = {}
        for pod in pods:
            by_node.setdefault(_target(pod), []).append(pod)
        error: ApiError | None = None
        if settled:
            error = await self._manage(key, daemonset, hashed, fits, by_node)
        soonest = await self._report(daemonset, hashed, fits, by_node, collisions)
        live = {name_of(revision)} | {
            name_of(one)
            for one in history
            if labels_of(one).get(HASH) in {labels_of(pod).get(POD_HASH) for pod in pods}
        }
        await self._revisions.clean_up(daemonset, history, live)
        if error is not None:
            raise error
        return Result(requeue_after=soonest)

    # Where pods are missing, and where there are too many.

    async def _manage(
        self,
        key: Key,
        daemonset: Obj,
        hashed: str,
        fits: dict[str, _Fit],
        by_node: dict[str, list[Obj]],
    ) -> ApiError | None:
        missing: list[str] = []
        surplus: list[Obj] = []
        for node, fitting in fits.items():
            there = by_node.get(node, [])
            alive = [pod for pod in there if not is_deleting(pod)]
            failed = [pod for pod in alive if is_terminal(pod)]
            self._tell_failed(daemonset, node, failed)
            running = [pod for pod in alive if not is_terminal(pod)]
            surplus += failed
            if not fitting.stay:
                surplus += running
            elif fitting.run and not there:
                missing.append(node)
            else:
                surplus += _youngest(running)
        if not missing and not surplus:
            surplus = self._outdated(daemonset, hashed, fits, by_node)
        if surplus:
            return await self._delete(key, daemonset, surplus)
        if missing:
            return await self._create(key, daemonset, hashed, missing)
        return None

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

    def _outdated(
        self,
        daemonset: Obj,
        hashed: str,
        fits: dict[str, _Fit],
        by_node: dict[str, list[Obj]],
    ) -> list[Obj]:
        """Return the pods of an old template that may go now: those that do not work, and as
        many of the others as may be unavailable.
        """
        strategy = daemonset["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return []
        nodes = [node for node, fitting in fits.items() if fitting.run]
        most = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1)
        room = max(scaled(most, len(nodes), round_up=True), 1)
        broken: list[Obj] = []
        working: list[Obj] = []
        for node in nodes:
            alive = [pod for pod in by_node.get(node, ()) if not is_deleting(pod)]
            available = [pod for pod in alive if self._available_in(daemonset, pod) == 0]
            old = [pod for pod in alive if not _is_current(pod, hashed, daemonset)]
            if not available:
                room -= 1
                broken += old
            else:
                working += old
        return broken + working[: max(room, 0)]

    async def _create(
        self, key: Key, daemonset: Obj, hashed: str, nodes: Sequence[str]
    ) -> ApiError | None:
        self.expectations.expect_creations(key, len(nodes))
        template = daemonset["spec"]["template"]
        generation = annotations_of(daemonset).get(GENERATION)
        waiting = iter(nodes)

        async def attempt() -> bool:
            pod = pod_from_template(template, daemonset)
            labels = {**labels_of(pod), POD_HASH: hashed}
            if generation is not None:
                labels[_POD_GENERATION] = generation
            pod["metadata"]["labels"] = labels
            pod["spec"] = pinned(pod["spec"], next(waiting))
            return await self._pods.create(pod, daemonset) is not None

        done, error = await slow_start(len(nodes), attempt)
        if done < len(nodes):
            self.expectations.creation_observed(key, len(nodes) - done)
        return error

    async def _delete(self, key: Key, daemonset: Obj, pods: Sequence[Obj]) -> ApiError | None:
        self.expectations.expect_deletions(key, [uid_of(pod) for pod in pods])

        async def attempt(pod: Obj) -> ApiError | None:
            try:
                await self._pods.delete(pod, daemonset)
            except ApiError as error:
                self.expectations.deletion_observed(key, uid_of(pod))
                return None if isinstance(error, NotFound) else error
            return None

        errors = await asyncio.gather(*(attempt(pod) for pod in pods))
        return next((error for error in errors if error is not None), None)

    def _available_in(self, daemonset: Obj, pod: Obj) -> float | None:
        min_ready = int(daemonset["spec"].get("minReadySeconds") or 0)
        return podfacts.available_in(pod, min_ready, self.clock.seconds())

    # The status.

    async def _report(
        self,
        daemonset: Obj,
        hashed: str,
        fits: dict[str, _Fit],
        by_node: dict[str, list[Obj]],
        collisions: int,
    ) -> float | None:
        """Write the status if it has changed; return when to look at availability again."""
        wanted = [node for node, fitting in fits.items() if fitting.run]
        scheduled = ready = available = updated = 0
        waits: list[float] = []
        for node in wanted:
            pods = [pod for pod in by_node.get(node, ()) if not is_deleting(pod)]
            if not pods:
                continue
            scheduled += 1
            oldest = min(pods, key=_age)
            updated += _is_current(oldest, hashed, daemonset)
            ready += is_ready(oldest)
            left = self._available_in(daemonset, oldest)
            available += left == 0
            if left:
                waits.append(left)
        misplaced = sum(1 for node, one in fits.items() if not one.run and by_node.get(node))
        status: Obj = {
            "currentNumberScheduled": scheduled,
            "numberMisscheduled": misplaced,
            "desiredNumberScheduled": len(wanted),
            "numberReady": ready,
            "observedGeneration": daemonset["metadata"].get("generation") or 0,
        }
        more = {
            "updatedNumberScheduled": updated,
            "numberAvailable": available,
            "numberUnavailable": len(wanted) - available,
            "collisionCount": collisions,
        }
        status |= {name: count for name, count in more.items() if count}
        if status != (daemonset.get("status") or {}):
            await self.client.update_status({**daemonset, "status": status}, DAEMONSETS)
        return min(waits, default=None)


def _target(pod: Obj) -> str:
    """Return the node that a pod is on, or is made for."""
    if node := node_name(pod):
        return node
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == "metadata.name" and field.get("values"):
                return str(field["values"][0])
    return ""


def _is_current(pod: Obj, hashed: str, daemonset: Obj) -> bool:
    generation = annotations_of(daemonset).get(GENERATION)
    labels = labels_of(pod)
    return labels.get(POD_HASH) == hashed or (
        generation is not None and labels.get(_POD_GENERATION) == generation
    )


def _youngest(pods: Sequence[Obj]) -> list[Obj]:
    """Return all but the one that stays: bound before unbound, then the oldest."""
    return sorted(pods, key=lambda pod: (not node_name(pod), _age(pod)))[1:]


def _age(pod: Obj) -> tuple[str, str]:
    return (pod["metadata"].get("creationTimestamp") or "", name_of(pod))
