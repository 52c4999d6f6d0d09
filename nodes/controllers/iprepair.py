"""Services and the IPAddresses of theirs: each has the other, whatever somebody takes away.

This is kube-apiserver's own loop (pkg/registry/core/service/ipallocator/controller) and acts as it.
There it goes through all of them every three minutes; here it looks at those that change.
"""

from __future__ import annotations

from apimachinery.clock import parse_time
from apimachinery.errors import NotFound
from apimachinery.meta import Obj, labels_of, name_of, namespace_of
from apimachinery.services import (
    ALLOCATOR,
    FAMILY,
    MANAGED_BY,
    canonical,
    family_of,
    ip_address,
    service_addresses,
)
from nodes.client.controller import DONE, Mapped, Result
from nodes.client.events import WARNING
from nodes.client.lister import Key, key_of
from nodes.client.resources import IPADDRESSES, SERVICECIDRS, SERVICES
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.servicecidr import gives_out

# An address may be there before its Service, for as long as a request may take: seconds.
_GRACE = 60.0
_ADDRESS = "address"


def _holders(controller: IPRepair, address: Obj) -> list[Key]:
    """Return the Services that say that an address is theirs."""
    return [
        key_of(one) for one in controller.informer(SERVICES).by_index(_ADDRESS, name_of(address))
    ]


class IPRepair(ManagedController):
    """Keys are Services; IPAddresses have a queue of their own."""

    name = "ipallocator-repair-controller"
    service_account = ""
    component = "ipallocator-repair-controller"
    reconciles = SERVICES
    watches = (Mapped(IPADDRESSES, _holders),)

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._addresses = self.also("ipaddresses", self._see_to_address)

    def start(self) -> None:
        self.informer(SERVICES).add_index(_ADDRESS, addresses_of)
        self.informer(SERVICECIDRS)
        super().start()
        self.informer(IPADDRESSES).on_change(self._on_address)

    def _on_address(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None:
            self._addresses.queue.add(key_of(new))

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        super().on_object(old, new)
        # An address that a Service has no more, or that it leaves behind, is looked at as well.
        for one in addresses_of(old) if old is not None else ():
            self._addresses.queue.add(Key("", one))

    # Services.

    async def reconcile(self, key: Key) -> Result:
        service = self.informer(SERVICES).get(*key)
        for address in addresses_of(service) if service is not None else ():
            await self._see_to_service(key, service or {}, address)
        return DONE

    async def _see_to_service(self, key: Key, service: Obj, address: str) -> None:
        family = family_of(address)
        if not self._in_range(address):
            words = f"Cluster IP [{family}]: {address} is not within any configured Service CIDR; "
            self._tell(service, "ClusterIPOutOfRange", f"{words}please recreate service")
            return
        if self._is_right(service, self.informer(IPADDRESSES).get("", address)):
            return
        # One of the two caches may be behind: the API is asked before anything is changed.
        now = await self.client.find(SERVICES, *key)
        if now is None or address not in addresses_of(now):
            return
        found = await self.client.find(IPADDRESSES, "", address)
        if self._is_right(now, found):
            return
        if found is None:
            words = f"Cluster IP [{family}]: {address} is not allocated; repairing"
            self._tell(now, "ClusterIPNotAllocated", words)
        elif _parent(found) != (namespace_of(now), name_of(now)):
            if await self._has_another(found):
                words = f"Cluster IP [{family}]:{address} was assigned to multiple services; "
                self._tell(now, "ClusterIPAlreadyAllocated", f"{words}please recreate service")
                return
            of = f"{address} for Service {namespace_of(now)}/{name_of(now)}"
            words = f"the ClusterIP [{family}]: {of} has a wrong reference; repairing"
            self._tell(now, "ClusterIPNotAllocated", words)
        if found is not None:
            await self._delete(address)
        await self.client.create(ip_address(address, now), IPADDRESSES)

    def _is_right(self, service: Obj, address: Obj | None) -> bool:
        """Tell whether an IPAddress says that a Service has it."""
        if address is None or _parent(address) != (namespace_of(service), name_of(service)):
            return False
        labels = labels_of(address)
        return _is_ours(address) and labels.get(FAMILY) == family_of(name_of(address))

    async def _has_another(self, address: Obj) -> bool:
        """Tell whether the Service that an IPAddress names has it, too."""
        parent = _parent(address)
        other = await self.client.find(SERVICES, *parent) if parent is not None else None
        return other is not None and name_of(address) in addresses_of(other)

    def _in_range(self, address: str) -> bool:
        ranges = self.informer(SERVICECIDRS).list()
        return not ranges or any(gives_out(one, address) for one in ranges)

    def _tell(self, service: Obj, reason: str, words: str) -> None:
        self.recorder.event(service, WARNING, reason, words, action="ClusterIPAllocation")

    # IPAddresses.

    async def _see_to_address(self, key: Key) -> Result:
        address = self.informer(IPADDRESSES).get(*key)
        if address is None or not _is_ours(address):
            return DONE
        parent = _parent(address)
        if parent is None:
            words = f"IPAddress {key.name} appears to have been modified, not referencing a Service"
            of = address["spec"]["parentRef"]
            return await self._clean_up(address, "IPAddressNotAllocated", f"{words} {_go(of)}:")
        service = self.informer(SERVICES).get(*parent) or await self.client.find(SERVICES, *parent)
        if service is not None and key.name not in addresses_of(service):
            service = await self.client.find(SERVICES, *parent)
        of = f"{key.name} for Service {parent[0]}/{parent[1]}"
        if service is None:
            made = parse_time(address["metadata"]["creationTimestamp"]).timestamp()
            if (left := made + _GRACE - self.clock.seconds()) > 0:
                return Result(requeue_after=left)
            words = f"IPAddress: {of} appears to have leaked:"
            return await self._clean_up(address, "IPAddressNotAllocated", words)
        if key.name not in addresses_of(service):
            words = f"IPAddress: {of} has a wrong reference;"
            return await self._clean_up(address, "IPAddressWrongReference", words)
        return DONE

    async def _clean_up(self, address: Obj, reason: str, words: str) -> Result:
        words = f"{words} cleaning up"
        self.recorder.event(address, WARNING, reason, words, action="IPAddressAllocation")
        await self._delete(name_of(address))
        return DONE

    async def _delete(self, address: str) -> None:
        try:
            await self.client.delete(IPADDRESSES, "", address)
        except NotFound:
            return


def addresses_of(service: Obj) -> list[str]:
    """Return the addresses of a Service, in the form that names IPAddresses."""
    return [*map(canonical, service_addresses(service))]


def _is_ours(address: Obj) -> bool:
    return labels_of(address).get(MANAGED_BY) == ALLOCATOR


def _parent(address: Obj) -> tuple[str, str] | None:
    """Return the Service that an IPAddress belongs to, None where it is something else."""
    parent = (address.get("spec") or {}).get("parentRef") or {}
    if parent.get("group") or parent.get("resource") != "services":
        return None
    return str(parent.get("namespace") or ""), str(parent.get("name") or "")


def _go(parent: Obj) -> str:
    """Print a ParentReference as Go does."""
    fields = ("Group", "Resource", "Namespace", "Name")
    parts = (f"{one}:{parent.get(one.lower()) or ''}," for one in fields)
    return f"&ParentReference{{{''.join(parts)}}}"
