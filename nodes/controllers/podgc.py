"""Pods that nobody is going to finish: their node is gone, or they never had one.

Also, when more than 12,500 pods have ended, the oldest of these go.
"""

from __future__ import annotations

from apimachinery.errors import NotFound
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of, uid_of
from apimachinery.nodes import is_out_of_service, is_ready
from apimachinery.pods import is_terminal, node_name
from nodes.client.controller import DONE, Result
from nodes.client.lister import NODE, Key, key_of
from nodes.client.resources import NODES, PODS
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.eviction import disrupt

# A node that was seen to go may come back, or the cache may be behind.
QUARANTINE = 40.0
MOST_ENDED = 12_500
_FORCED = "pod_gc_collector_force_delete_pods_total"


class PodGarbageCollector(ManagedController):
    """Keys are pods."""

    name = "pod-garbage-collector-controller"
    service_account = "pod-garbage-collector"
    component = "pod-garbage-collector"
    reconciles = PODS
    workers = 10
    rest = 0.0

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._ended: dict[Key, str] = {}

    def start(self) -> None:
        self.informer(NODES).on_change(self._on_node)
        self.informer(PODS).on_change(self._on_pod)

    def _on_node(self, old: Obj | None, new: Obj | None) -> None:
        node = new if new is not None else old
        if node is None or (new is not None and not _out_of_service(new)):
            return
        wait = QUARANTINE if new is None else 0.0
        for pod in self.informer(PODS).by_index(NODE, name_of(node)):
            self.queue.add_after(key_of(pod), wait)

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            if old is not None:
                self._ended.pop(key_of(old), None)
            return
        key, node = key_of(new), node_name(new)
        if is_terminal(new):
            self._ended.setdefault(key, new["metadata"].get("creationTimestamp") or "")
            if len(self._ended) > MOST_ENDED:
                self.queue.add(min(self._ended, key=lambda one: self._ended[one]))
        if not node:
            if is_deleting(new):
                self.queue.add(key)
        elif (known := self.informer(NODES).get("", node)) is None:
            self.queue.add_after(key, QUARANTINE)
        elif is_deleting(new) and _out_of_service(known):
            self.queue.add(key)

    async def reconcile(self, key: Key) -> Result:
        pod = self.informer(PODS).get(*key)
        if pod is None:
            return DONE
        node = node_name(pod)
        if is_terminal(pod) and len(self._ended) > MOST_ENDED:
            await self._delete(pod, "terminated")
        elif not node:
            if is_deleting(pod):
                await self._delete(pod, "unscheduled")
        elif (known := self.informer(NODES).get("", node)) is not None:
            if is_deleting(pod) and _out_of_service(known):
                await self._delete(pod, "out-of-service")
        elif await self.client.find(NODES, "", node) is None:
            why = "PodGC: node no longer exists"
            await disrupt(self.client, self.clock, pod, "DeletionByPodGC", why, grace=0, fail=True)
            self.count(_FORCED, namespace_of(pod), "orphaned")
        return DONE

    async def _delete(self, pod: Obj, reason: str) -> None:
        """Delete a pod that nobody stops: as failed, if it has not ended, so that it counts so."""
        namespace, name = namespace_of(pod), name_of(pod)
        try:
            if not is_terminal(pod):
                failed = {"status": {"phase": "Failed"}}
                await self.client.patch(PODS, namespace, name, failed, subresource="status")
            await self.client.delete(PODS, namespace, name, uid=uid_of(pod), grace=0)
        except NotFound:
            return
        self.count(_FORCED, namespace, reason)


def _out_of_service(node: Obj) -> bool:
    return not is_ready(node) and is_out_of_service(node)
