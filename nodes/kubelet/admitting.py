"""Which of the pods that come to a node begin: one after the other, in the order that they came in.

Most are decided on at once. A pod whose labels of the node do not fit is looked at again with the
node as it is now, and one that is critical waits until those have ended that it needs the room of;
who comes after it waits as well. A pod that is refused fails, with what is said first against it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from apimachinery.errors import ApiError
from apimachinery.meta import Obj, is_deleting
from nodes.client import resources
from nodes.kubelet.admission import AFFINITY, Reason, Refusal, Shortage, is_critical, reasons
from nodes.kubelet.eviction import TURNED_AWAY
from nodes.kubelet.node import node_object
from nodes.kubelet.pod_worker import EVICTED, PodWorker
from nodes.kubelet.preemption import NoRoomError, victims

if TYPE_CHECKING:
    from nodes.kubelet.kubelet import Kubelet

log = logging.getLogger(__name__)

# What is known of the node with a name, from a watch.
NodeLister = Callable[[str], Obj | None]


class Admissions:
    """The pods that come to one kubelet."""

    def __init__(self, kubelet: Kubelet, nodes: NodeLister) -> None:
        self._kubelet, self._nodes = kubelet, nodes
        self._waiting: deque[PodWorker] = deque()

    def take(self, worker: PodWorker) -> None:
        """Let a pod begin, or fail; now, or when it is its turn."""
        if not self._waiting:
            against = self._against(worker, self._node())
            if not _takes_time(worker, against):
                self._end(worker, against)
                return
        worker.held = True
        self._waiting.append(worker)
        if len(self._waiting) == 1:
            self._kubelet.host.tasks.spawn("admit pods", self._take_in_turn())

    async def _take_in_turn(self) -> None:
        while self._waiting:
            worker = self._waiting[0]
            try:
                if not worker.over and not is_deleting(worker.pod):
                    self._end(worker, await self._considered(worker))
            except Exception:
                log.exception("cannot decide on a pod: %s/%s", *worker.key)
                self._end(worker, ())
            finally:
                self._waiting.popleft()

    def _end(self, worker: PodWorker, against: Sequence[Reason]) -> None:
        worker.held = False
        if against:
            worker.reject(against[0].reason, against[0].message)
        else:
            worker.wake()

    async def _considered(self, worker: PodWorker) -> Sequence[Reason]:
        """Return what is against a pod once all is done that may help it."""
        against = self._against(worker, self._node())
        if _is_affinity(against):
            against = self._against(worker, await self._node_now())
        if not against or not is_critical(worker.pod):
            return against
        if others := [one for one in against if not isinstance(one, Shortage)]:
            return others
        needs = {one.resource: one.missing for one in against if isinstance(one, Shortage)}
        try:
            chosen = victims(worker.pod, self._present(worker), needs)
        except NoRoomError as error:
            why = f"preemption: error finding a set of pods to preempt: {error}"
            recover = "Unexpected error while attempting to recover from admission failure"
            return [Refusal("UnexpectedAdmissionError", f"{recover}: {why}")]
        for one in chosen:
            await one.preempt()
        return ()

    def _against(self, worker: PodWorker, node: Obj) -> Sequence[Reason]:
        if self._kubelet.evictions.turns_away(worker.pod):
            return [Refusal(EVICTED, TURNED_AWAY)]
        if (worker.pod.get("status") or {}).get("startTime"):
            return ()  # the node had it before
        return reasons(worker.pod, worker.asks, node, self._present(worker))

    def _present(self, worker: PodWorker) -> list[PodWorker]:
        every = self._kubelet.pods.values()
        return [one for one in every if one is not worker and not one.held and not one.over]

    def _node(self) -> Obj:
        """Return the node as a watch has told of it, or as it registers."""
        kubelet = self._kubelet
        known = self._nodes(kubelet.name)
        return known or node_object(kubelet.machine, kubelet.host.clock.timestamp())

    async def _node_now(self) -> Obj:
        kubelet = self._kubelet
        try:
            return await kubelet.host.client.get(resources.NODES, "", kubelet.name)
        except ApiError as error:
            log.warning("cannot read node %s: %s", kubelet.name, error.message)
            return self._node()


def _is_affinity(against: Sequence[Reason]) -> bool:
    return bool(against) and all(one is AFFINITY for one in against)


def _takes_time(worker: PodWorker, against: Sequence[Reason]) -> bool:
    """Tell whether something may still help a pod."""
    if not against:
        return False
    return _is_affinity(against) or (is_critical(worker.pod) and isinstance(against[0], Shortage))
