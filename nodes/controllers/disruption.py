"""PodDisruptionBudgets: how many pods may be disrupted now, counted from those that are healthy.

An eviction notes its pod in the budget before it deletes it; such a pod counts as gone until it
is, or for two minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from apimachinery.clock import parse_time
from apimachinery.intorstring import scaled
from apimachinery.labels import from_label_selector
from apimachinery.meta import Obj, controller_of, is_deleting, labels_of, name_of, namespace_of
from apimachinery.pods import is_active, is_ready
from apimachinery.workloads import desired_replicas
from nodes.client.controller import Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.lister import Key, key_of
from nodes.client.resources import (
    DEPLOYMENTS,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    STATEFULSETS,
    Res,
)
from nodes.controllers.common.base import ManagedController
from nodes.controllers.common.conditions import condition, put_in_place

# An eviction that has not become a deletion by then is not going to.
DELETION_TIMEOUT = 120.0

_SCALED: tuple[Res, ...] = (DEPLOYMENTS, REPLICASETS, REPLICATIONCONTROLLERS, STATEFULSETS)


class _Need(NamedTuple):
    expected: int
    healthy: int


class DisruptionController(ManagedController):
    """Keys are PodDisruptionBudgets."""

    name = "disruption-controller"
    service_account = "disruption-controller"
    component = "controllermanager"
    reconciles = PODDISRUPTIONBUDGETS

    def start(self) -> None:
        super().start()
        for resource in _SCALED:
            self.informer(resource).on_change(self._on_scaled)
        self.informer(PODS).on_change(self._on_pod)

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        if old is not None and new is not None and _shown(old) == _shown(new):
            return
        for pod in (old, new):
            if pod is not None:
                self._wake(pod)

    def _on_scaled(self, old: Obj | None, new: Obj | None) -> None:
        if old is None or new is None or desired_replicas(old) == desired_replicas(new):
            return
        for budget in self.informer(PODDISRUPTIONBUDGETS).list(namespace_of(new)):
            self.queue.add(key_of(budget))

    def _wake(self, pod: Obj) -> None:
        labels = labels_of(pod)
        for budget in self.informer(PODDISRUPTIONBUDGETS).list(namespace_of(pod)):
            if from_label_selector(budget["spec"].get("selector")).matches(labels):
                self.queue.add(key_of(budget))

    async def reconcile(self, key: Key) -> Result:
        budget = self.informer(PODDISRUPTIONBUDGETS).get(*key)
        if budget is None:
            return Result()
        selector = from_label_selector(budget["spec"].get("selector"))
        pods = [
            pod
            for pod in self.informer(PODS).list(key.namespace, selector)
            if is_active(pod) or is_deleting(pod)
        ]
        if not pods:
            self.recorder.event(budget, NORMAL, "NoPods", "No matching pods found")
        try:
            need = self._need(budget, pods)
        except ValueError as error:
            message = f"Failed to calculate the number of expected pods: {error}"
            self.recorder.event(budget, WARNING, "CalculateExpectedPodCountFailed", message)
            await self._write(budget, self._failed(budget, message))
            return Result()
        disrupted, recheck = self._disrupted(budget, pods)
        healthy = sum(
            1
            for pod in pods
            if not is_deleting(pod) and name_of(pod) not in disrupted and is_ready(pod)
        )
        await self._write(budget, self._status(budget, need, healthy, disrupted))
        return Result(requeue_after=recheck)

    def _need(self, budget: Obj, pods: Sequence[Obj]) -> _Need:
        """Return how many pods there should be, and how many of these have to be healthy."""
        spec = budget["spec"]
        if spec.get("maxUnavailable") is not None:
            expected = self._scale(pods)
            lost = scaled(spec["maxUnavailable"], expected, round_up=True)
            return _Need(expected, max(expected - lost, 0))
        least = spec.get("minAvailable")
        if isinstance(least, str):
            expected = self._scale(pods)
            return _Need(expected, scaled(least, expected, round_up=True))
        return _Need(len(pods), 1 if least is None else least)

    def _scale(self, pods: Sequence[Obj]) -> int:
        """Sum the wanted sizes of what controls the pods, each once."""
        sizes: dict[str, int] = {}
        for pod in pods:
            found = self._controller(namespace_of(pod), pod)
            if found is not None:
                sizes[found["metadata"]["uid"]] = desired_replicas(found)
        return sum(sizes.values())

    def _controller(self, namespace: str, obj: Obj) -> Obj | None:
        """Return what sizes the set that an object is in: the Deployment behind a ReplicaSet."""
        reference = controller_of(obj)
        if reference is None:
            return None
        for resource in _SCALED:
            if (resource.api_version, resource.kind) != (
                reference.get("apiVersion"),
                reference.get("kind"),
            ):
                continue
            found = self.informer(resource).get(namespace, reference["name"])
            if found is None or found["metadata"]["uid"] != reference.get("uid"):
                return None
            above = self._controller(namespace, found) if resource is REPLICASETS else None
            return above if above is not None else found
        return None

    def _disrupted(self, budget: Obj, pods: Sequence[Obj]) -> tuple[dict[str, str], float | None]:
        """Return the evictions still under way, and when the first of them is given up."""
        noted = (budget.get("status") or {}).get("disruptedPods") or {}
        there = {name_of(pod): pod for pod in pods}
        result, recheck, now = {}, None, self.clock.seconds()
        for name, since in noted.items():
            pod = there.get(name)
            if pod is None or is_deleting(pod):
                continue
            left = parse_time(since).timestamp() + DELETION_TIMEOUT - now
            if left > 0:
                result[name] = since
                recheck = left if recheck is None else min(left, recheck)
            else:
                self.recorder.event(
                    pod,
                    WARNING,
                    "NotDeleted",
                    f"Pod was expected by PDB {namespace_of(budget)}/{name_of(budget)}"
                    " to be deleted but it wasn't",
                )
        return result, recheck

    def _status(self, budget: Obj, need: _Need, healthy: int, disrupted: dict[str, str]) -> Obj:
        allowed = max(healthy - need.healthy, 0) if need.expected > 0 else 0
        old = budget.get("status") or {}
        generation = budget["metadata"].get("generation") or 0
        sufficient = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
        new = condition("DisruptionAllowed", *sufficient, "", self.clock.timestamp())
        status: Obj = {
            "currentHealthy": healthy,
            "desiredHealthy": need.healthy,
            "expectedPods": need.expected,
            "disruptionsAllowed": allowed,
            "observedGeneration": generation,
            "conditions": put_in_place(
                old.get("conditions"), new | {"observedGeneration": generation}
            ),
        }
        if disrupted:
            status["disruptedPods"] = disrupted
        return status

    def _failed(self, budget: Obj, message: str) -> Obj:
        """Allow nothing while it is not known what there should be."""
        old = budget.get("status") or {}
        at = self.clock.timestamp()
        new = condition("DisruptionAllowed", "False", "SyncFailed", message, at)
        generation = budget["metadata"].get("generation") or 0
        conditions = put_in_place(old.get("conditions"), new | {"observedGeneration": generation})
        counts = {"currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}
        return {**counts, **old, "disruptionsAllowed": 0, "conditions": conditions}

    async def _write(self, budget: Obj, status: Obj) -> None:
        if status != (budget.get("status") or {}):
            changed = {**budget, "status": status}
            await self.client.update_status(changed, PODDISRUPTIONBUDGETS)


def _shown(pod: Obj) -> tuple[object, ...]:
    metadata = pod["metadata"]
    return (
        metadata.get("labels"),
        metadata.get("ownerReferences"),
        is_ready(pod),
        is_active(pod),
        is_deleting(pod),
    )
