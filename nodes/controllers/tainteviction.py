"""Pods leave a node whose NoExecute taints they do not tolerate, or tolerate for a while only."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.clock import parse_time
from apimachinery.meta import Obj, is_deleting, name_of, uid_of
from apimachinery.nodes import NO_EXECUTE, taints_of, tolerates
from nodes.client.controller import DONE, Result
from nodes.client.events import NORMAL
from nodes.client.lister import NODE, Key, key_of
from nodes.client.resources import NODES, PODS
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.eviction import disrupt


class TaintEvictionController(ManagedController):
    """Keys are pods."""

    name = "taint-eviction-controller"
    service_account = "node-controller"
    component = "taint-eviction-controller"
    reconciles = PODS
    workers = 10
    rest = 0.0

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._marked: dict[Key, str] = {}  # pods whose time is running, with their uids

    def start(self) -> None:
        self.informer(PODS).on_change(self._on_pod)
        self.informer(NODES).on_change(self._on_node)

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        """Only pods on tainted nodes matter, and those that have been marked."""
        pod = new if new is not None else old
        if pod is None:
            return
        key = key_of(pod)
        if key in self._marked or _evicting(self._node(pod)):
            self.queue.add(key)

    def _on_node(self, old: Obj | None, new: Obj | None) -> None:
        if _evicting(old) == _evicting(new):
            return
        node = new if new is not None else old
        if node is not None:
            for pod in self.informer(PODS).by_index(NODE, name_of(node)):
                self.queue.add(key_of(pod))

    def _node(self, pod: Obj) -> Obj | None:
        name = (pod.get("spec") or {}).get("nodeName")
        return self.informer(NODES).get("", name) if name else None

    async def reconcile(self, key: Key) -> Result:
        pod = self.informer(PODS).get(*key)
        if pod is None or is_deleting(pod):
            self._marked.pop(key, None)
            return DONE
        left = self._time_left(pod, _evicting(self._node(pod)))
        if left is None:
            if self._marked.pop(key, None) == uid_of(pod):
                self._tell(pod, f"Cancelling deletion of Pod {key}")
            return DONE
        if left > 0:
            self._marked[key] = uid_of(pod)
            return Result(requeue_after=left)
        self._marked.pop(key, None)
        self._tell(pod, f"Marking for deletion Pod {key}")
        await disrupt(
            self.client,
            self.clock,
            pod,
            "DeletionByTaintManager",
            "Taint manager: deleting due to NoExecute taint",
        )
        return DONE

    def _time_left(self, pod: Obj, taints: Sequence[Obj]) -> float | None:
        """Return the seconds that the pod may stay; None if for ever."""
        if not taints:
            return None
        tolerations = (pod.get("spec") or {}).get("tolerations") or ()
        used = []
        for taint in taints:
            matching = [one for one in tolerations if tolerates(one, taint)]
            if not matching:
                return 0.0
            used += matching[:1]
        given = [one.get("tolerationSeconds") for one in used]
        limits = [float(seconds) for seconds in given if seconds is not None]
        if not limits:
            return None
        began = [parse_time(t["timeAdded"]).timestamp() for t in taints if t.get("timeAdded")]
        now = self.clock.seconds()
        return max(min(began, default=now) + max(min(limits), 0.0) - now, 0.0)

    def _tell(self, pod: Obj, words: str) -> None:
        self.recorder.event(pod, NORMAL, "TaintManagerEviction", words)


def _evicting(node: Obj | None) -> list[Obj]:
    if node is None:
        return []
    return [taint for taint in taints_of(node) if taint.get("effect") == NO_EXECUTE]
