"""ReplicaSets: as many pods as the spec says."""

from __future__ import annotations

from apimachinery.labels import Selector, from_label_selector
from apimachinery.meta import Obj, controller_of, namespace_of
from nodes.client.lister import OWNER
from nodes.client.resources import PODS, REPLICASETS
from nodes.controllers.common.replicas import ReplicaController


class ReplicaSetController(ReplicaController):
    """Keys are ReplicaSets."""

    name = "replicaset-controller"
    service_account = "replicaset-controller"
    component = "replicaset-controller"
    reconciles = REPLICASETS
    counts_terminating = True

    def selector_of(self, owner: Obj) -> Selector:
        return from_label_selector(owner["spec"].get("selector"))

    def related_pods(self, owner: Obj) -> list[Obj]:
        """Pods of every ReplicaSet of the same Deployment: a roll should not leave a crowd."""
        controller = controller_of(owner)
        if controller is None:
            family = [owner]
        else:
            family = [
                one
                for one in self.informer(REPLICASETS).by_index(OWNER, controller["uid"])
                if namespace_of(one) == namespace_of(owner)
            ]
        pods = self.informer(PODS)
        return [pod for replicaset in family for pod in pods.owned_by(replicaset)]
