"""Pods that taints drive away: at once, or when the time for which they are borne has gone by."""

from __future__ import annotations

from abc import abstractmethod

from apimachinery.meta import Obj, uid_of
from nodes.client.controller import DONE, Result
from nodes.client.events import NORMAL
from nodes.client.klog import kobj
from nodes.client.lister import Key
from nodes.client.resources import PODS
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.eviction import disrupt


class TaintManager(ManagedController):
    """Keys are pods."""

    reconciles = PODS
    workers = 10
    rest = 0.0

    # What its events say of a pod, the metric of deletions, the reason of the events, and reason
    # and message of the pods' condition.
    marking = "Marking for deletion"
    cancelling = "Cancelling deletion"
    counter: str
    event: str
    disruption: str
    why: str

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self.marked: dict[Key, str] = {}  # pods whose time is running, with their uids
        self._going: dict[Key, str] = {}  # pods whose deletion the cache does not show yet

    def is_followed(self, key: Key) -> bool:
        """Tell whether something of a pod is remembered."""
        return key in self.marked or key in self._going

    @abstractmethod
    def stays(self, pod: Obj) -> bool:
        """Tell whether a pod is nobody's to drive away any more."""

    @abstractmethod
    def time_left(self, pod: Obj) -> float | None:
        """Return the seconds that a pod may stay, not above 0 if it has to go; None for ever."""

    def has_left(self, pod: Obj) -> None:
        """Take note of a pod that has been sent away."""

    async def reconcile(self, key: Key) -> Result:
        pod = self.informer(PODS).get(*key)
        if pod is None or self.stays(pod):
            self.marked.pop(key, None)
            self._going.pop(key, None)
            return DONE
        if self._going.get(key) == uid_of(pod):
            return DONE
        left = self.time_left(pod)
        if left is None:
            if self.marked.pop(key, None) == uid_of(pod):
                self._tell(pod, self.cancelling.format(key))
            return DONE
        if left > 0:
            self.marked[key] = uid_of(pod)
            return Result(requeue_after=left)
        self.marked.pop(key, None)
        self._tell(pod, self.marking.format(key))
        said = ("controller", self.name, "pod", kobj(pod))
        self.context.klog.info("taint_eviction.go:111", "Deleting pod", *said)
        await disrupt(self.client, self.clock, pod, self.disruption, self.why)
        self._going[key] = uid_of(pod)
        self.has_left(pod)
        self.count(self.counter)
        return DONE

    def _tell(self, pod: Obj, words: str) -> None:
        self.recorder.event(pod, NORMAL, self.event, words)
