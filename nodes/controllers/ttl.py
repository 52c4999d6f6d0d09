"""How long kubelets may keep Secrets and ConfigMaps before they look again: an annotation.

It grows with the number of nodes. A node is told when it changes, so that a cluster that grows
does not write to all of its nodes at once.
"""

from __future__ import annotations

from apimachinery.meta import Obj, annotations_of, name_of
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key
from nodes.client.resources import NODES
from nodes.client.rest import STRATEGIC_PATCH
from nodes.controllers.common.base import ManagedController, ManagerContext

ANNOTATION = "node.alpha.kubernetes.io/ttl"
# Seconds from so many nodes down to so many up: each step is left a little later than entered.
_STEPS = ((0, 100, 0), (90, 500, 15), (450, 1000, 30), (900, 2000, 60), (1800, None, 300))


class TTLController(ManagedController):
    """Keys are nodes."""

    name = "ttl-controller"
    service_account = "ttl-controller"
    component = "ttl-controller"
    reconciles = NODES

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._nodes = self._step = 0

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if old is None or new is None:
            self._nodes += 1 if old is None else -1
            self._step = step_for(self._nodes, self._step)
        if new is not None and annotations_of(new).get(ANNOTATION) != self._seconds:
            super().on_object(old, new)

    @property
    def _seconds(self) -> str:
        return str(_STEPS[self._step][2])

    async def reconcile(self, key: Key) -> Result:
        node = self.informer(NODES).get(*key)
        if node is not None and annotations_of(node).get(ANNOTATION) != self._seconds:
            body = {"metadata": {"annotations": {ANNOTATION: self._seconds}}}
            await self.client.patch(NODES, "", name_of(node), body, STRATEGIC_PATCH)
        return DONE


def step_for(nodes: int, step: int) -> int:
    """Return the step for a number of nodes, coming from another."""
    while (most := _STEPS[step][1]) is not None and nodes > most:
        step += 1
    while nodes < _STEPS[step][0]:
        step -= 1
    return step
