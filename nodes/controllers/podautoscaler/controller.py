"""HorizontalPodAutoscalers: every 15 seconds, as many pods as the metrics ask for.

What was recommended and done before is kept in memory, as kube-controller-manager keeps it: after
a restart the windows begin anew.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from apimachinery.errors import ApiError
from apimachinery.gvk import GroupKind
from apimachinery.labels import Selector, parse_selector
from apimachinery.meta import Obj, labels_of
from apimachinery.quantity import parse
from nodes.client.controller import DONE, Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.lister import Key, key_of
from nodes.client.resources import HORIZONTALPODAUTOSCALERS, PODS, Res
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.conditions import condition, put_in_place
from nodes.controllers.podautoscaler.behavior import Bounds, History, normalized
from nodes.controllers.podautoscaler.calculator import (
    TOLERANCE,
    Calculator,
    NotComputable,
    Tolerances,
)
from nodes.controllers.podautoscaler.metrics import Metrics
from nodes.controllers.podautoscaler.sources import Failed, Target, propose

log = logging.getLogger(__name__)

# Seconds between two looks at an autoscaler; the first comes as long after it was made.
PERIOD = 15.0

_DISABLED = "scaling is disabled since the replica count of the target is zero"
_ABOVE_MOST = "Current number of replicas above Spec.MaxReplicas"
_BELOW_LEAST = "Current number of replicas below Spec.MinReplicas"


class _Stopped(Exception):
    """Nothing can be computed now; the conditions and events say why."""


class _Wanted(NamedTuple):
    replicas: int
    metric: str
    statuses: list[Obj]


class HorizontalPodAutoscalerController(ManagedController):
    """Keys are HorizontalPodAutoscalers."""

    name = "horizontal-pod-autoscaler-controller"
    service_account = "horizontal-pod-autoscaler"
    component = "horizontal-pod-autoscaler"
    reconciles = HORIZONTALPODAUTOSCALERS

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self.metrics = Metrics(self.client)
        self._histories: dict[Key, History] = {}
        self._selectors: dict[Key, Selector] = {}

    def start(self) -> None:
        super().start()
        self.informer(PODS)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None:
            self.queue.add_after(key_of(new), PERIOD)
        elif old is not None:
            self._histories.pop(key_of(old), None)
            self._selectors.pop(key_of(old), None)

    async def reconcile(self, key: Key) -> Result:
        autoscaler = self.informer(HORIZONTALPODAUTOSCALERS).get(*key)
        if autoscaler is None:
            return DONE
        turn = _Turn(self, key, autoscaler)
        try:
            await turn.take()
        except ApiError as error:
            turn.error = "internal"
            log.debug("not told: %s %s: %s", self.name, key, error.message)
        self.count(
            "horizontal_pod_autoscaler_controller_reconciliations_total", turn.action, turn.error
        )
        return Result(requeue_after=PERIOD)

    def history(self, key: Key) -> History:
        return self._histories.setdefault(key, History())

    def rivals(self, key: Key, selector: Selector, pods: Sequence[Obj]) -> list[Key]:
        """Return every autoscaler whose selector some of the pods match, this one among them."""
        self._selectors[key] = selector
        others = {k: s for k, s in self._selectors.items() if k.namespace == key.namespace}
        if len(others) < 2:
            return [key]
        return [k for k, s in others.items() if any(s.matches(labels_of(pod)) for pod in pods)]

    def resource_of(self, reference: Obj) -> Res:
        """Return the resource of what a reference is to, in whichever version it is served.

        Raises NotComputable where no such kind is served.
        """
        group = (reference.get("apiVersion") or "").rpartition("/")[0]
        kind = GroupKind(group, reference.get("kind") or "")
        for resource in self.manager.served.resources():
            if resource.group_kind == kind:
                return resource
        raise NotComputable(f'no matches for kind "{kind.kind}" in group "{group}"')


class _Turn:
    """One look at one autoscaler."""

    def __init__(self, owner: HorizontalPodAutoscalerController, key: Key, autoscaler: Obj) -> None:
        self._owner, self._key, self._autoscaler = owner, key, autoscaler
        self._spec: Obj = autoscaler["spec"]
        self._status: Obj = dict(autoscaler.get("status") or {})
        self._now = owner.clock.seconds()
        # What was done, and whose fault it is if nothing was.
        self.action = self.error = "none"

    async def take(self) -> None:
        """Scale the target if there is need, and tell of it in the status."""
        try:
            resource, scale = await self._scale()
        except _Stopped:
            self.error = "internal"
            await self._write()
            return
        current: int = (scale.get("spec") or {}).get("replicas") or 0
        history = self._owner.history(self._key)
        history.begin(current, self._now)
        self._status["currentReplicas"] = current
        try:
            wanted, reason = await self._decide(scale, current, history)
        except _Stopped as stopped:
            self.error = "internal"
            await self._write()
            self._tell(WARNING, "FailedComputeMetricsReplicas", str(stopped))
            return
        if wanted is None or wanted == current:
            self._status["desiredReplicas"] = current
        else:
            await self._rescale(resource, scale, wanted, reason)
        await self._write()

    async def _scale(self) -> tuple[Res, Obj]:
        reference = self._spec["scaleTargetRef"]
        owner = self._owner
        try:
            resource = owner.resource_of(reference)
            scale = await owner.client.get(
                resource, self._key.namespace, reference["name"], "scale"
            )
        except (ApiError, NotComputable) as error:
            why = error.message if isinstance(error, ApiError) else str(error)
            self._tell(WARNING, "FailedGetScale", why)
            unable = f"the HPA controller was unable to get the target's current scale: {why}"
            self._set("AbleToScale", "False", "FailedGetScale", unable)
            raise _Stopped(why) from error
        able = "the HPA controller was able to get the target's current scale"
        self._set("AbleToScale", "True", "SucceededGetScale", able)
        return resource, scale

    async def _decide(self, scale: Obj, current: int, history: History) -> tuple[int | None, str]:
        """Return how many pods there should be, None for no opinion; and why."""
        least = self._spec.get("minReplicas")
        bounds = Bounds(
            1 if least is None else least, self._spec["maxReplicas"], self._spec.get("behavior")
        )
        self._status["currentMetrics"] = None
        if current == 0 and bounds.least != 0:
            self._set("ScalingActive", "False", "ScalingDisabled", _DISABLED)
            return None, ""
        if current > bounds.most:
            return bounds.most, _ABOVE_MOST
        if current < bounds.least:
            return bounds.least, _BELOW_LEAST
        wanted = await self._compute(scale, current)
        self._status["currentMetrics"] = wanted.statuses or None
        reason = "All metrics below target"
        if wanted.replicas > current:
            reason = f"{wanted.metric} above target"
        result = normalized(history, bounds, current, wanted.replicas, self._now)
        self._set("AbleToScale", *result.able_to_scale)
        self._set("ScalingLimited", *result.scaling_limited)
        return result.replicas, reason

    async def _compute(self, scale: Obj, current: int) -> _Wanted:
        """Return the highest number that a metric asks for."""
        target = self._target(scale, current)
        metrics = self._spec.get("metrics") or ()
        best: tuple[int, str] | None = None
        statuses, failures = [], list[Failed]()
        for metric in metrics:
            try:
                found = await propose(metric, target, self._owner.metrics)
            except Failed as failed:
                self._tell(WARNING, failed.reason, failed.message)
                failures.append(failed)
                continue
            statuses.append(found.status)
            if best is None or found.replicas > best[0]:
                best = found.replicas, found.name
        # What is not known could ask for more: it may keep pods, but takes none.
        if best is None or (failures and best[0] < current):
            self._status["currentMetrics"] = statuses or None
            raise self._failed(failures, len(metrics))
        because = f"the HPA was able to successfully calculate a replica count from {best[1]}"
        self._set("ScalingActive", "True", "ValidMetricFound", because)
        return _Wanted(*best, statuses)

    def _failed(self, failures: Sequence[Failed], of: int) -> _Stopped:
        first = failures[0]
        why = f"the HPA was unable to compute the replica count: {first.message}"
        self._set("ScalingActive", "False", first.reason, why)
        counted = f"invalid metrics ({len(failures)} invalid out of {of})"
        return _Stopped(f"{counted}, first error is: {first.whole}")

    def _target(self, scale: Obj, current: int) -> Target:
        status = scale.get("status") or {}
        text: str = status.get("selector") or ""
        selector = self._selector(text)
        pods = self._owner.informer(PODS).list(self._key.namespace, selector)
        rivals = self._owner.rivals(self._key, selector, pods)
        if len(rivals) > 1:
            them = " ".join(f"{{{one.name} {one.namespace}}}" for one in sorted(rivals))
            why = f"pods by selector {text} are controlled by multiple HPAs: [{them}]"
            raise self._unusable("AmbiguousSelector", "AmbiguousSelector", why, why)
        calculator = Calculator(pods, current, self._now, self._tolerances())
        return Target(
            self._key.namespace,
            text,
            status.get("replicas") or 0,
            calculator,
            self._owner.resource_of,
        )

    def _selector(self, text: str) -> Selector:
        if not text:
            missing = "the HPA target's scale is missing a selector"
            raise self._unusable(
                "SelectorRequired", "InvalidSelector", "selector is required", missing
            )
        try:
            return parse_selector(text)
        except ValueError as error:
            why = (
                f"couldn't convert selector into a corresponding internal selector object: {error}"
            )
            raise self._unusable("InvalidSelector", "InvalidSelector", why, why) from error

    def _unusable(self, event: str, reason: str, why: str, message: str) -> _Stopped:
        self._tell(WARNING, event, why)
        self._set("ScalingActive", "False", reason, message)
        return _Stopped(why)

    def _tolerances(self) -> Tolerances:
        behavior: Obj = self._spec.get("behavior") or {}

        def of(direction: str) -> float:
            given = (behavior.get(direction) or {}).get("tolerance")
            return TOLERANCE if given is None else parse(given).as_float()

        return Tolerances(of("scaleDown"), of("scaleUp"))

    async def _rescale(self, resource: Res, scale: Obj, wanted: int, reason: str) -> None:
        current: int = self._status["currentReplicas"]
        changed = {**scale, "spec": {**(scale.get("spec") or {}), "replicas": wanted}}
        try:
            await self._owner.client.update(changed, "scale", resource)
        except ApiError as error:
            size = f"New size: {wanted}; reason: {reason}; error: {error.message}"
            self._tell(WARNING, "FailedRescale", size)
            unable = f"the HPA controller was unable to update the target scale: {error.message}"
            self._set("AbleToScale", "False", "FailedUpdateScale", unable)
            return
        self.action = "scale_up" if wanted > current else "scale_down"
        able = f"the HPA controller was able to update the target scale to {wanted}"
        self._set("AbleToScale", "True", "SucceededRescale", able)
        self._tell(NORMAL, "SuccessfulRescale", f"New size: {wanted}; reason: {reason}")
        history = self._owner.history(self._key)
        history.scaled(current, wanted, self._spec.get("behavior"), self._now)
        self._status |= {
            "desiredReplicas": wanted,
            "lastScaleTime": self._owner.clock.timestamp(),
        }

    def _set(self, type_: str, status: str, reason: str, message: str) -> None:
        new = condition(type_, status, reason, message, self._owner.clock.timestamp())
        self._status["conditions"] = put_in_place(self._status.get("conditions"), new)

    def _tell(self, kind: str, reason: str, message: str) -> None:
        self._owner.recorder.event(self._autoscaler, kind, reason, message)

    async def _write(self) -> None:
        before: dict[str, Any] = self._autoscaler.get("status") or {}
        if self._status == before:
            return
        changed = {**self._autoscaler, "status": self._status}
        try:
            await self._owner.client.update_status(changed, HORIZONTALPODAUTOSCALERS)
        except ApiError as error:
            self._tell(WARNING, "FailedUpdateStatus", error.message)
            raise
