"""Pods that were to be disrupted and were not: after two minutes their condition says so no more.

The kubelet's own word is left, for what it has begun may take its time.
"""

from __future__ import annotations

from apimachinery.clock import parse_time
from apimachinery.meta import Obj, is_deleting
from apimachinery.pods import is_terminal
from nodes.client.controller import DONE, Controller, Result
from nodes.client.klog import kobj
from nodes.client.lister import Key, key_of
from nodes.client.resources import PODS
from nodes.controllers.common.conditions import find, put_in_place, without

TARGET = "DisruptionTarget"
TIMEOUT = 120.0
_BY_KUBELET = "TerminationByKubelet"


def stale_in(pod: Obj, now: float) -> float | None:
    """Return in how many seconds nobody believes in the disruption any more; None: there is none.

    A negative number says since when.
    """
    found = find((pod.get("status") or {}).get("conditions"), TARGET)
    if found is None or found.get("status") != "True" or found.get("reason") == _BY_KUBELET:
        return None
    if is_deleting(pod) or is_terminal(pod):
        return None
    return parse_time(found["lastTransitionTime"]).timestamp() + TIMEOUT - now


class StaleDisruptions:
    """Takes the condition back."""

    def __init__(self, controller: Controller) -> None:
        """It is a queue of that controller."""
        self._context = controller.context
        self.loop = controller.also("stale pod disruption", self._reset)

    def follow(self, pod: Obj) -> None:
        """Look at a pod again when its time has come."""
        left = stale_in(pod, self._context.clock.seconds())
        if left is not None:
            self.loop.queue.add_after(key_of(pod), max(left, 0.0))

    async def _reset(self, key: Key) -> Result:
        pod = self._context.informers.get(PODS).get(*key)
        left = stale_in(pod, self._context.clock.seconds()) if pod is not None else None
        if pod is None or left is None:
            return DONE
        if left > 0:
            return Result(requeue_after=left)
        at = self._context.clock.timestamp()
        conditions = without(pod["status"]["conditions"], TARGET)
        over = {"type": TARGET, "status": "False", "lastTransitionTime": at}
        status = {**pod["status"], "conditions": put_in_place(conditions, over)}
        await self._context.client.update_status({**pod, "status": status}, PODS)
        said = "Reset stale DisruptionTarget condition to False"
        self._context.klog.info("disruption.go:811", said, "pod", kobj(pod))
        return DONE
