"""Services of type LoadBalancer get an address, as from a cloud: the service controller.

The cloud is simulated: it has the addresses that a ConfigMap names, on the nodes' own network,
and kube-proxy serves them. Without that ConfigMap there is no cloud, and such Services wait, as
they do on bare machines.
"""

from __future__ import annotations

from apimachinery.errors import NotFound
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of
from nodes.client.controller import DONE, Mapped, Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.lister import Key, key_of
from nodes.client.resources import CONFIGMAPS, INGRESSES, NODES, SERVICES
from nodes.controllers.common import balanceraddresses as addresses
from nodes.controllers.common.balanceraddresses import address_of
from nodes.controllers.common.base import ManagedController

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
_EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
# As long as kube-controller-manager waits after what failed (seconds).
_RETRY = 5.0


class _NoAddress(Exception):
    """Why a Service gets none."""


def _all_waiting(controller: ServiceController, obj: Obj) -> list[Key]:
    """Return the Services that addresses concern."""
    if not addresses.is_pool(obj):
        return []
    return [key_of(one) for one in controller.informer(SERVICES).list() if _wants(one)]


class ServiceController(ManagedController):
    """Keys are Services; one is worked on at a time, so that no address is given twice."""

    name = "service-lb-controller"
    service_account = "service-controller"
    component = "service-controller"
    reconciles = SERVICES
    watches = (Mapped(CONFIGMAPS, _all_waiting),)
    workers = 1

    def start(self) -> None:
        super().start()
        for resource in (INGRESSES, NODES):
            self.informer(resource)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is None or not (_wants(new) or _is_marked(new)):
            return
        if old is not None and _wants(old) != _wants(new):
            change = f"{old['spec'].get('type')} -> {new['spec'].get('type')}"
            self.recorder.event(new, NORMAL, "Type", change)
        super().on_object(old, new)

    async def reconcile(self, key: Key) -> Result:
        service = self.informer(SERVICES).get(*key)
        if service is None:
            return DONE
        if not _wants(service) or is_deleting(service):
            return await self._remove(service)
        if (pool := addresses.pool(self.informer(CONFIGMAPS))) is None:
            return DONE
        try:
            await self._ensure(service, pool)
        except _NoAddress as error:
            why = f"Error syncing load balancer: failed to ensure load balancer: {error}"
            self.recorder.event(service, WARNING, "SyncLoadBalancerFailed", why)
            return Result(requeue_after=_RETRY)
        return DONE

    async def _ensure(self, service: Obj, pool: list[str]) -> None:
        has = address_of(service)
        if has in pool and _is_marked(service) and has == (_asked(service) or has):
            return
        self.recorder.event(service, NORMAL, "EnsuringLoadBalancer", "Ensuring load balancer")
        # It is marked first, so that it does not go before what it was given is free again.
        if not _is_marked(service):
            finalizers = [*(service["metadata"].get("finalizers") or ()), FINALIZER]
            service = await self._patch(service, {"metadata": {"finalizers": finalizers}})
        if not any(_serves(node) for node in self.informer(NODES).list()):
            why = "There are no available nodes for LoadBalancer"
            self.recorder.event(service, WARNING, "UnAvailableLoadBalancer", why)
        address = self._choose(service, pool)
        self.recorder.event(service, NORMAL, "EnsuredLoadBalancer", "Ensured load balancer")
        await self._tell(service, [{"ip": address, "ipMode": "VIP"}])

    async def _remove(self, service: Obj) -> Result:
        """Take the address back, where the Service still says that it has one."""
        if not _is_marked(service):
            return DONE
        if address_of(service):
            self.recorder.event(service, NORMAL, "DeletingLoadBalancer", "Deleting load balancer")
        left = [one for one in service["metadata"]["finalizers"] if one != FINALIZER]
        try:
            if address_of(service):
                service = await self._tell(service, None)
            await self._patch(service, {"metadata": {"finalizers": left or None}})
        except NotFound:
            return DONE
        self.recorder.event(service, NORMAL, "DeletedLoadBalancer", "Deleted load balancer")
        return DONE

    def _choose(self, service: Obj, pool: list[str]) -> str:
        taken = {
            address_of(one)
            for one in (*self.informer(SERVICES).list(), *self.informer(INGRESSES).list())
            if one["metadata"]["uid"] != service["metadata"]["uid"]
        }
        if wish := _asked(service):
            if wish not in pool:
                raise _NoAddress(f"{wish} is not among the addresses of the load balancer")
            if wish in taken:
                raise _NoAddress(f"{wish} is in use")
            return wish
        if (free := next((one for one in pool if one not in taken), None)) is None:
            raise _NoAddress("no address is left")
        return free

    async def _tell(self, service: Obj, ingress: list[Obj] | None) -> Obj:
        return await self._patch(service, {"status": {"loadBalancer": {"ingress": ingress}}})

    async def _patch(self, service: Obj, body: Obj) -> Obj:
        # Finalizers, too, are set by way of the status: this account may change nothing else.
        at = (namespace_of(service), name_of(service))
        return await self.client.patch(SERVICES, *at, body, subresource="status")


def _wants(service: Obj) -> bool:
    spec = service["spec"]
    return spec.get("type") == "LoadBalancer" and spec.get("loadBalancerClass") is None


def _is_marked(service: Obj) -> bool:
    return FINALIZER in (service["metadata"].get("finalizers") or ())


def _asked(service: Obj) -> str:
    wish: str = service["spec"].get("loadBalancerIP") or ""
    return wish


def _serves(node: Obj) -> bool:
    labels = node["metadata"].get("labels") or {}
    return not is_deleting(node) and _EXCLUDED not in labels
