"""PodDisruptionBudgets: how many pods may be disrupted now, counted from those that are healthy.

An eviction notes its pod in the budget before it deletes it; such a pod counts as gone until it
is, or for two minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from apimachinery.clock import parse_time
from apimachinery.gotext import quoted, selector_syntax
from apimachinery.intorstring import scaled
from apimachinery.labels import from_label_selector
from apimachinery.meta import Obj, is_deleting, labels_of, name_of, namespace_of
from apimachinery.pods import is_active, is_ready
from apimachinery.workloads import desired_replicas
from nodes.client.controller import Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.lister import Key, key_of
from nodes.client.resources import PODDISRUPTIONBUDGETS, PODS
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.conditions import condition, put_in_place
from nodes.controllers.disruption.expected import SCALED, NotExpected, Scales
from nodes.controllers.disruption.stale import StaleDisruptions

# An eviction that has not become a deletion by then is not going to.
DELETION_TIMEOUT = 120.0

_UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a"
    " result, the status of the PDB cannot be calculated correctly, which may result in undefined"
    ' behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an'
    " integer value."
)


class _Need(NamedTuple):
    expected: int
    healthy: int
    unmanaged: bool = False


class DisruptionController(ManagedController):
    """Keys are PodDisruptionBudgets."""

    name = "disruption-controller"
    service_account = "disruption-controller"
    component = "controllermanager"
    reconciles = PODDISRUPTIONBUDGETS

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._scales = Scales(self.client, context.informers, context.served)
        self._stale = StaleDisruptions(self)

    def start(self) -> None:
        super().start()
        for resource in SCALED:
            self.informer(resource).on_change(self._on_scaled)
        self.informer(PODS).on_change(self._on_pod)

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None:
            self._stale.follow(new)
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
        budgets = self.informer(PODDISRUPTIONBUDGETS).list(namespace_of(pod))
        if not budgets:
            return
        labels = labels_of(pod)
        found = [
            one
            for one in budgets
            if from_label_selector(one["spec"].get("selector")).matches(labels)
        ]
        for budget in found:
            self.queue.add(key_of(budget))
        if len(found) > 1:
            # Kubernetes looks at one of them alone; here all are counted.
            about = f"{quoted(namespace_of(pod))}/{quoted(name_of(pod))}"
            chosen = quoted(min(map(name_of, found)))
            message = (
                f"Pod {about} matches multiple PodDisruptionBudgets.  Chose {chosen} arbitrarily."
            )
            self.recorder.event(pod, WARNING, "MultiplePodDisruptionBudgets", message)

    async def reconcile(self, key: Key) -> Result:
        budget = self.informer(PODDISRUPTIONBUDGETS).get(*key)
        if budget is None:
            return Result()
        selector = from_label_selector(budget["spec"].get("selector"))
        pods = self.informer(PODS).list(key.namespace, selector)
        if not pods:
            self.recorder.event(budget, NORMAL, "NoPods", "No matching pods found")
        try:
            need = await self._need(budget, pods)
        except (ValueError, NotExpected) as error:
            message = f"Failed to calculate the number of expected pods: {error}"
            self.recorder.event(budget, WARNING, "CalculateExpectedPodCountFailed", message)
            await self._write(budget, self._failed(budget, str(error)))
            return Result()
        if need.unmanaged:
            message = _UNMANAGED.format(selector_syntax(budget["spec"].get("selector")))
            self.recorder.event(budget, WARNING, "UnmanagedPods", message)
        disrupted, recheck = self._disrupted(budget, pods)
        healthy = sum(
            1
            for pod in pods
            if not is_deleting(pod) and name_of(pod) not in disrupted and is_ready(pod)
        )
        await self._write(budget, self._status(budget, need, healthy, disrupted))
        return Result(requeue_after=recheck)

    async def _need(self, budget: Obj, pods: Sequence[Obj]) -> _Need:
        """Return how many pods there should be, and how many of these have to be healthy."""
        spec = budget["spec"]
        if spec.get("maxUnavailable") is not None:
            expected = await self._scales.of(pods)
            lost = scaled(spec["maxUnavailable"], expected.pods, round_up=True)
            return _Need(expected.pods, max(expected.pods - lost, 0), expected.unmanaged)
        least = spec.get("minAvailable")
        if isinstance(least, str):
            expected = await self._scales.of(pods)
            healthy = scaled(least, expected.pods, round_up=True)
            return _Need(expected.pods, healthy, expected.unmanaged)
        return _Need(len(pods), 1 if least is None else least)

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
        if seen := old.get("observedGeneration"):
            new["observedGeneration"] = seen
        conditions = put_in_place(old.get("conditions"), new)
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
