"""Services of type LoadBalancer get an address, as from a cloud: the service controller.

The cloud is simulated: it has the addresses that a ConfigMap names, on the nodes' own network,
and kube-proxy serves them. Without that ConfigMap there is no cloud, and such Services wait, as
they do on bare machines.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apimachinery.booleans import parse_bool
from apimachinery.errors import NotFound
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of
from nodes.client.controller import DONE, Mapped, Result
from nodes.client.events import NORMAL, WARNING
from nodes.client.lister import Key, key_of
from nodes.client.resources import CONFIGMAPS, INGRESSES, NODES, SERVICES
from nodes.controllers.common import balanceraddresses as addresses
from nodes.controllers.common.balanceraddresses import address_of
from nodes.controllers.common.base import ManagedController, ManagerContext

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
_EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
_TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler"
# As long as kube-controller-manager waits after what failed, at first and at most (seconds).
_RETRY, _LONGEST_RETRY = 5.0, 300.0
# A load balancer is ensured again when one of these changes.
_FIELDS = (
    "loadBalancerSourceRanges",
    "ports",
    "sessionAffinity",
    "sessionAffinityConfig",
    "loadBalancerIP",
    "externalIPs",
    "externalTrafficPolicy",
    "healthCheckNodePort",
)


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

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        # Services that have changed so that their load balancer is ensured again.
        self._changed: set[Key] = set()
        # The nodes that each load balancer leads to.
        self._hosts: dict[Key, frozenset[str]] = {}
        self._failures: dict[Key, int] = {}

    def start(self) -> None:
        super().start()
        self.informer(INGRESSES)
        self.informer(NODES).on_change(self._on_node)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            # It went without its mark, or without a load balancer: nothing is to be given back.
            if old is not None:
                self._forget(key_of(old))
            return
        if old is None:
            concerns = _wants(new) or _is_marked(new)
        elif concerns := _needs_update(old, new):
            self._changed.add(key_of(new))
        if concerns or _needs_cleanup(new):
            super().on_object(old, new)

    def _on_node(self, old: Obj | None, new: Obj | None) -> None:
        """Lead the load balancers elsewhere: readiness and taints alone are no reason."""
        if old is not None and new is not None and _as_host(old) == _as_host(new):
            return
        for key in self._hosts:
            self.queue.add(key)

    async def reconcile(self, key: Key) -> Result:
        service = self.informer(SERVICES).get(*key)
        if service is None:
            return DONE
        if not _wants(service) or is_deleting(service):
            self._forget(key)
            return await self._remove(service)
        if (pool := addresses.pool(self.informer(CONFIGMAPS))) is None:
            return DONE
        try:
            await self._ensure(service, pool)
        except _NoAddress as error:
            why = f"Error syncing load balancer: failed to ensure load balancer: {error}"
            self.recorder.event(service, WARNING, "SyncLoadBalancerFailed", why)
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
            return Result(requeue_after=min(_RETRY * 2.0 ** min(failures, 64), _LONGEST_RETRY))
        self._failures.pop(key, None)
        return DONE

    async def _ensure(self, service: Obj, pool: list[str]) -> None:
        key, has, hosts = key_of(service), address_of(service), _hosts(self.informer(NODES).list())
        before = self._hosts.get(key, hosts)
        self._hosts[key] = hosts
        fits = has in pool and _is_marked(service) and has == (_asked(service) or has)
        if fits and key not in self._changed:
            if hosts != before:
                self._tell_of(service, hosts)
            return
        self._changed.discard(key)
        self.recorder.event(service, NORMAL, "EnsuringLoadBalancer", "Ensuring load balancer")
        # It is marked first, so that it does not go before what it was given is free again.
        if not _is_marked(service):
            finalizers = [*(service["metadata"].get("finalizers") or ()), FINALIZER]
            service = await self._patch(service, {"metadata": {"finalizers": finalizers}})
        if not hosts:
            self._tell_of(service, hosts)
        address = has if fits else self._choose(service, pool)
        self.recorder.event(service, NORMAL, "EnsuredLoadBalancer", "Ensured load balancer")
        if not fits:
            await self._tell(service, [{"ip": address, "ipMode": "VIP"}])

    def _tell_of(self, service: Obj, hosts: frozenset[str]) -> None:
        """Say that a load balancer leads elsewhere, or nowhere."""
        if hosts:
            why = "Updated load balancer with new hosts"
            self.recorder.event(service, NORMAL, "UpdatedLoadBalancer", why)
        else:
            why = "There are no available nodes for LoadBalancer"
            self.recorder.event(service, WARNING, "UnAvailableLoadBalancer", why)

    def _forget(self, key: Key) -> None:
        self._changed.discard(key)
        self._hosts.pop(key, None)
        self._failures.pop(key, None)

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


def _needs_cleanup(service: Obj) -> bool:
    return _is_marked(service) and (is_deleting(service) or not _wants(service))


def _needs_update(old: Obj, new: Obj) -> bool:
    if not (_wants(old) or _wants(new)):
        return False
    if _wants(old) != _wants(new):
        return True
    before, after = old["spec"], new["spec"]
    return (
        any(before.get(one) != after.get(one) for one in _FIELDS)
        or len(before.get("ipFamilies") or ()) != len(after.get("ipFamilies") or ())
        or old["metadata"].get("annotations") != new["metadata"].get("annotations")
        or old["metadata"]["uid"] != new["metadata"]["uid"]
    )


def _as_host(node: Obj) -> tuple[bool, Any]:
    """Return what of a node concerns load balancers: whether it serves, and its machine."""
    excluded = (node["metadata"].get("labels") or {}).get(_EXCLUDED)
    return not _is_so(excluded), (node.get("spec") or {}).get("providerID")


def _is_so(label: str | None) -> bool:
    """Read a label; one that is there and says nothing sensible counts."""
    try:
        return label is not None and parse_bool(label)
    except ValueError:
        return True


def _hosts(nodes: Iterable[Obj]) -> frozenset[str]:
    """Return the nodes that a load balancer leads to, each with its machine."""
    return frozenset(
        f"{name_of(node)} {machine}"
        for node in nodes
        for serves, machine in (_as_host(node),)
        if serves and not is_deleting(node) and not _is_going(node)
    )


def _is_going(node: Obj) -> bool:
    taints = (node.get("spec") or {}).get("taints") or ()
    return any(taint["key"] == _TO_BE_DELETED for taint in taints)
