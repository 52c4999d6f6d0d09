"""Pods leave a node whose NoExecute taints they do not tolerate, or tolerate for a while only."""

from __future__ import annotations

from apimachinery.clock import parse_time
from apimachinery.meta import Obj, is_deleting, name_of
from apimachinery.nodes import NO_EXECUTE, taints_of, tolerates
from nodes.client.lister import NODE, key_of
from nodes.client.resources import NODES, PODS
from nodes.controllers.common.taintmanager import TaintManager


class TaintEvictionController(TaintManager):
    """Keys are pods."""

    name = "taint-eviction-controller"
    service_account = "node-controller"
    component = "taint-eviction-controller"
    marking = "Marking for deletion Pod {}"
    cancelling = "Cancelling deletion of Pod {}"
    counter = "taint_eviction_controller_pod_deletions_total"
    event = "TaintManagerEviction"
    disruption = "DeletionByTaintManager"
    why = "Taint manager: deleting due to NoExecute taint"

    def start(self) -> None:
        self.informer(PODS).on_change(self._on_pod)
        self.informer(NODES).on_change(self._on_node)

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        """Only pods on tainted nodes matter, and those that have been marked."""
        pod = new if new is not None else old
        if pod is None:
            return
        key = key_of(pod)
        if self.is_followed(key) or _evicting(self._node(pod)):
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

    def stays(self, pod: Obj) -> bool:
        return is_deleting(pod)

    def time_left(self, pod: Obj) -> float | None:
        taints = _evicting(self._node(pod))
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


def _evicting(node: Obj | None) -> list[Obj]:
    if node is None:
        return []
    return [taint for taint in taints_of(node) if taint.get("effect") == NO_EXECUTE]
