"""ServiceCIDRs are said to be ready, and stay until no Service has an address of theirs alone."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

from apimachinery.clock import parse_time
from apimachinery.meta import Obj, is_deleting, labels_of, name_of, replace_in
from apimachinery.services import ALLOCATOR, MANAGED_BY
from nodes.client.controller import DONE, Mapped, Result
from nodes.client.lister import Key
from nodes.client.resources import IPADDRESSES, SERVICECIDRS
from nodes.controllers.common.base import ManagedController

FINALIZER = "networking.k8s.io/service-cidr-finalizer"
_READY = "Kubernetes Service CIDR is ready"
_IN_USE = (
    "There are still IPAddresses referencing the ServiceCIDR, "
    "please remove them or create a new ServiceCIDR"
)
# Who makes a range and changes it at once should not meet our own change of it: seconds.
_SETTLING = 1.0
# How long a range that is going is kept, so that no request still takes an address of it.
_GRACE = 10.0

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def _ranges_around(controller: ServiceCIDRController, address: Obj) -> list[Key]:
    """Return the ranges whose end an address may hold up, or allow."""
    if labels_of(address).get(MANAGED_BY) != ALLOCATOR:
        return []
    return [Key("", name_of(one)) for one in controller.going() if gives_out(one, name_of(address))]


class ServiceCIDRController(ManagedController):
    """Keys are ServiceCIDRs."""

    name = "service-cidr-controller"
    service_account = "service-cidrs-controller"
    component = "service-cidr-controller"
    reconciles = SERVICECIDRS
    watches = (Mapped(IPADDRESSES, _ranges_around),)

    def going(self) -> list[Obj]:
        """Return the ranges that are to go."""
        return [one for one in self.informer(SERVICECIDRS).list() if is_deleting(one)]

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        super().on_object(old, new)
        # One that comes may hold the addresses of another one that is to go.
        for one in self.going():
            self.queue.add(Key("", name_of(one)))

    async def reconcile(self, key: Key) -> Result:
        servicecidr = self.informer(SERVICECIDRS).get(*key)
        if servicecidr is None:
            return DONE
        if is_deleting(servicecidr):
            return await self._let_go(servicecidr)
        wait = self._left(servicecidr["metadata"]["creationTimestamp"], _SETTLING)
        if wait > 0:
            return Result(requeue_after=wait)
        finalizers = servicecidr["metadata"].get("finalizers") or []
        if FINALIZER not in finalizers:
            servicecidr = await self._set_finalizers(servicecidr, [*finalizers, FINALIZER])
        await self._set_ready(servicecidr, "True", "", _READY)
        return DONE

    async def _let_go(self, servicecidr: Obj) -> Result:
        finalizers = servicecidr["metadata"].get("finalizers") or []
        if FINALIZER not in finalizers:
            return DONE
        if self._is_needed(servicecidr):
            await self._set_ready(servicecidr, "False", "Terminating", _IN_USE)
            return DONE
        wait = self._left(servicecidr["metadata"]["deletionTimestamp"], _GRACE)
        if wait > 0:
            return Result(requeue_after=wait)
        left = [one for one in finalizers if one != FINALIZER]
        await self._set_finalizers(servicecidr, left)
        return DONE

    def _is_needed(self, servicecidr: Obj) -> bool:
        """Tell whether some address is in this range and in no other one."""
        others = [
            one
            for one in self.informer(SERVICECIDRS).list()
            if name_of(one) != name_of(servicecidr)
        ]
        networks = [network for one in others for network in _networks(one)]
        if all(_within(mine, networks) for mine in _networks(servicecidr)):
            return False
        return any(
            labels_of(address).get(MANAGED_BY) == ALLOCATOR
            and gives_out(servicecidr, name_of(address))
            and not any(gives_out(one, name_of(address)) for one in others)
            for address in self.informer(IPADDRESSES).list()
        )

    async def _set_ready(self, servicecidr: Obj, status: str, reason: str, message: str) -> None:
        conditions = (servicecidr.get("status") or {}).get("conditions") or []
        known = next((one for one in conditions if one["type"] == "Ready"), None)
        if known is not None and known["status"] == status:
            return
        ready = {
            "type": "Ready",
            "status": status,
            "lastTransitionTime": self.clock.timestamp(),
            "reason": reason,
            "message": message,
        }
        others = [one for one in conditions if one is not known]
        changed = replace_in(servicecidr, ("status", "conditions"), [*others, ready])
        await self.client.update_status(changed, SERVICECIDRS)

    async def _set_finalizers(self, servicecidr: Obj, finalizers: list[str]) -> Obj:
        changed = replace_in(servicecidr, ("metadata", "finalizers"), finalizers)
        return await self.client.update(changed, resource=SERVICECIDRS)

    def _left(self, since: str, seconds: float) -> float:
        return parse_time(since).timestamp() + seconds - self.clock.seconds()


def _networks(servicecidr: Obj) -> list[Network]:
    cidrs = (servicecidr.get("spec") or {}).get("cidrs") or ()
    return [ipaddress.ip_network(cidr, strict=False) for cidr in cidrs]


def _within(mine: Network, others: list[Network]) -> bool:
    first, last = mine.network_address, mine.broadcast_address
    return any(one.version == mine.version and first in one and last in one for one in others)


def gives_out(servicecidr: Obj, address: str) -> bool:
    """Tell whether a range gives out an address: its two ends belong to nobody."""
    number = ipaddress.ip_address(address)
    return any(
        number in network
        and number != network.network_address
        and not (network.version == 4 and number == network.broadcast_address)
        for network in _networks(servicecidr)
    )
