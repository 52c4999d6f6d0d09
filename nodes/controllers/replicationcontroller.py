"""ReplicationControllers: the older form of ReplicaSets, with a plain map for a selector."""

from __future__ import annotations

from apimachinery.labels import NOTHING, Selector, from_set
from apimachinery.meta import Obj
from nodes.client.resources import PODS, REPLICATIONCONTROLLERS
from nodes.controllers.common.replicas import ReplicaController


class ReplicationControllerController(ReplicaController):
    """Keys are ReplicationControllers."""

    name = "replicationcontroller-controller"
    service_account = "replication-controller"
    component = "replication-controller"
    reconciles = REPLICATIONCONTROLLERS

    def selector_of(self, owner: Obj) -> Selector:
        selector = owner["spec"].get("selector")
        return from_set(selector) if selector else NOTHING

    def related_pods(self, owner: Obj) -> list[Obj]:
        return self.informer(PODS).owned_by(owner)
