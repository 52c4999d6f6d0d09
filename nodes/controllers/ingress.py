"""Ingresses of the simulated class get the address at which a real controller would serve them.

One address for all, as of one load balancer in front of the controller: the last that the pool of
addresses has free, or a node's own where there is no pool. Nothing serves there.
"""

from __future__ import annotations

from apimachinery.meta import Obj, annotations_of, is_deleting, name_of, namespace_of
from nodes.client.controller import DONE, Mapped, Result
from nodes.client.events import NORMAL
from nodes.client.lister import Key, key_of
from nodes.client.resources import CONFIGMAPS, INGRESSCLASSES, INGRESSES, NODES, SERVICES
from nodes.controllers.common import balanceraddresses as addresses
from nodes.controllers.common.base import ManagedController

CONTROLLER = "kubeground.io/ingress"
ACCOUNT = "simulated-ingress-controller"
_CLASS = "kubernetes.io/ingress.class"


def _all(controller: IngressController, obj: Obj) -> list[Key]:
    """Return the Ingresses that a class, or the pool, may concern."""
    if obj.get("kind") == CONFIGMAPS.kind and not addresses.is_pool(obj):
        return []
    return [key_of(one) for one in controller.informer(INGRESSES).list()]


class IngressController(ManagedController):
    """Keys are Ingresses."""

    name = "simulated-ingress-controller"
    service_account = ACCOUNT
    component = "simulated-ingress-controller"
    reconciles = INGRESSES
    watches = (Mapped(INGRESSCLASSES, _all), Mapped(CONFIGMAPS, _all))
    workers = 1

    def start(self) -> None:
        super().start()
        for resource in (NODES, SERVICES):
            self.informer(resource)

    async def reconcile(self, key: Key) -> Result:
        ingress = self.informer(INGRESSES).get(*key)
        if ingress is None or is_deleting(ingress):
            return DONE
        has = addresses.address_of(ingress)
        wanted = self._address() if self._is_ours(ingress) else ""
        if has == wanted or (not wanted and not self._was_ours(ingress)):
            return DONE
        given = {"ingress": [{"ip": wanted}] if wanted else None}
        body = {"status": {"loadBalancer": given}}
        at = (namespace_of(ingress), name_of(ingress))
        await self.client.patch(INGRESSES, *at, body, subresource="status")
        if wanted:
            self.recorder.event(ingress, NORMAL, "Sync", "Scheduled for sync")
        return DONE

    def _is_ours(self, ingress: Obj) -> bool:
        name = ingress["spec"].get("ingressClassName") or annotations_of(ingress).get(_CLASS) or ""
        found = self.informer(INGRESSCLASSES).get("", name) if name else None
        return found is not None and (found.get("spec") or {}).get("controller") == CONTROLLER

    def _was_ours(self, ingress: Obj) -> bool:
        """Tell whether what an Ingress has is of us: other controllers' addresses are theirs."""
        pool = addresses.pool(self.informer(CONFIGMAPS))
        pool = pool or addresses.of_nodes(self.informer(NODES))
        return addresses.address_of(ingress) in pool

    def _address(self) -> str:
        pool = addresses.pool(self.informer(CONFIGMAPS)) or ()
        for one in self.informer(INGRESSES).list():
            if self._is_ours(one) and (has := addresses.address_of(one)) in pool:
                return has
        taken = map(addresses.address_of, self.informer(SERVICES).list())
        return addresses.shared(self.informer(CONFIGMAPS), self.informer(NODES), taken)
