"""What a Service is given: cluster addresses and node ports.

The values are chosen before validation, as Kubernetes does; nothing is taken for a Service that
would be refused, or in a dry run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from apimachinery.errors import InternalError
from apimachinery.meta import Obj
from apimachinery.services import service_addresses
from apimachinery.validation.field import Path, invalid
from apimachinery.validation.names import parse_ip
from apiserver.registry.core import servicevalues as values
from apiserver.registry.core.allocators import (
    NODE_PORTS,
    SERVICE_IPS,
    Exhausted,
    Owner,
    PortRange,
    Taken,
    open_ports,
    owner_of,
    service_ports,
)
from apiserver.registry.core.serviceaddresses import Addresses
from apiserver.registry.core.servicefamilies import init_families, refuse, unchanged_preference
from apiserver.registry.core.servicenetwork import ServiceNetwork
from apiserver.registry.strategy import StrategyContext

_SPEC = Path("spec")
DEFAULTS = ServiceNetwork()


def open_allocators(
    services: Iterable[Obj], network: ServiceNetwork = DEFAULTS, seed: int = 0
) -> dict[str, Any]:
    """Return `StrategyContext.allocators` of a cluster whose Services are these."""
    return {
        SERVICE_IPS: Addresses(seed, network.cidrs),
        NODE_PORTS: open_ports(services, network.ports, seed),
    }


class Allocation:
    """Chooses the values of one Service, and takes them once it is known to be right."""

    def __init__(self, service: Obj, old: Obj | None, ctx: StrategyContext) -> None:
        allocators = ctx.allocators
        if SERVICE_IPS not in allocators:
            allocators = open_allocators(ctx.objects.list("services"))
        self.addresses: Addresses = allocators[SERVICE_IPS]
        self.ports: PortRange = allocators[NODE_PORTS]
        self.service, self.spec = service, service["spec"]
        self.old = {} if old is None else old["spec"]
        # A namespace may still be missing from the object itself.
        self.owner: Owner = (owner_of(service)[0] or ctx.namespace, owner_of(service)[1])
        self.now = ctx.clock.seconds()
        self._objects, self._dry_run = ctx.objects, ctx.dry_run
        self._chosen: set[int] = set()

    def choose(self) -> None:
        """Fill in what is not asked for. Raises Invalid where something cannot be had."""
        old = {"spec": self.old} if self.old else None
        init_families(self.service, old, self.addresses.families(self._objects))
        if values.needs_address(self.spec) and not values.is_headless(self.spec):
            self._choose_addresses()
        self._drop_zeros()
        if self.spec.get("type") in ("NodePort", "LoadBalancer"):
            if self.old:
                self._update_ports()
            else:
                self._choose_ports()
        if values.needs_health_port(self.spec) and not values.needs_health_port(self.old):
            self._choose_health_port()

    def take(self) -> None:
        """Keep all values for the Service."""
        held = [] if not self.old else service_addresses({"spec": self.old})
        for address in service_addresses(self.service):
            if address not in held:
                self.addresses.reserve(address, self.owner, self.now)
        for port in service_ports(self.service):
            self.ports.ledger.record(port, self.owner, self.now)

    def _choose_addresses(self) -> None:
        spec, old = self.spec, self.old
        if unchanged_preference(spec, old or None):
            return
        wanted, given = spec["ipFamilies"], list(spec.get("clusterIPs") or ())
        first = 0
        if old and values.needs_address(old):
            # What is there stays, and only a second family is added. Headless stays headless.
            if values.is_headless(old) or len(old.get("ipFamilies") or ()) != 1:
                return
            first = 1
        for at in range(first, len(wanted)):
            if at < len(given) and given[at]:
                self._check_address(given[at], given)
            else:
                given[at:] = [self._free_address(wanted[at])]
        if given:
            spec["clusterIPs"] = given
            # Validation says so where a client has changed one of the two alone.
            spec["clusterIP"] = spec.get("clusterIP") or given[0]

    def _free_address(self, family: str) -> str:
        try:
            return self.addresses.any_free(family, self.owner, self.now, self._objects)
        except Exhausted as error:
            raise InternalError(f"failed to allocate a serviceIP: {error}") from error

    def _check_address(self, address: str, given: list[str]) -> None:
        if parse_ip(address) is None:
            return  # validation says so
        try:
            if self._dry_run:
                self.addresses.check_range(address, self._objects)
            else:
                self.addresses.check(address, self.owner, self.now, self._objects)
        except Taken as error:
            why = f"failed to allocate IP {address}: {error}"
            raise refuse(self.service, invalid(_SPEC / "clusterIPs", given, why)) from None

    def _drop_zeros(self) -> None:
        for port in self.spec.get("ports") or ():
            if port.get("nodePort") == 0:
                del port["nodePort"]

    def _choose_ports(self) -> None:
        """Give a new Service its node ports: one for all entries of the same port.

        DNS needs TCP and UDP at the same place.
        """
        ports = self.spec.get("ports") or ()
        shared: dict[int, int] = {}
        for at, port in enumerate(ports):
            given, number = port.get("nodePort") or 0, port.get("port") or 0
            if not given and not values.needs_node_ports(self.spec):
                continue
            if number not in shared:
                asked = _asked_for(ports, number)
                if asked:
                    self._take_port(asked, at)
                shared[number] = port["nodePort"] = asked or self._free_port()
            elif not given:
                port["nodePort"] = shared[number]
            elif given != shared[number]:
                self._take_port(given, at)

    def _update_ports(self) -> None:
        held = set(service_ports({"spec": {**self.old, "healthCheckNodePort": 0}}))
        self._chosen |= held
        for at, port in enumerate(self.spec.get("ports") or ()):
            given = port.get("nodePort") or 0
            if given and given not in self._chosen:
                self._take_port(given, at)
            elif not given and values.needs_node_ports(self.spec):
                port["nodePort"] = self._free_port()

    def _take_port(self, port: int, at: int) -> None:
        if why := self._why_not(port):
            path = (_SPEC / "ports")[at] / "nodePort"
            raise refuse(self.service, invalid(path, port, why))
        self._chosen.add(port)

    def _choose_health_port(self) -> None:
        port = self.spec.get("healthCheckNodePort")
        if not port:
            self.spec["healthCheckNodePort"] = self._free_port()
        elif why := self._why_not(port):
            raise InternalError(f"failed to allocate requested HealthCheck NodePort {port}: {why}")

    def _why_not(self, port: int) -> str:
        try:
            self.ports.number(port)
        except Taken as error:
            return str(error)
        taken = self.ports.ledger.is_taken(port, self.owner, self.now, self._held)
        return "provided port is already allocated" if taken or port in self._chosen else ""

    def _free_port(self) -> int:
        ledger = self.ports.ledger
        try:
            port = ledger.any_free(self.owner, self.now, self._held, self._chosen)
        except Exhausted as error:
            raise InternalError(f"failed to allocate a nodePort: {error}") from error
        self._chosen.add(port)
        return port

    def _held(self, owner: Owner, port: int) -> bool:
        service = self._objects.get("services", *owner)
        return service is not None and port in service_ports(service)


def _asked_for(ports: Sequence[Obj], number: int) -> int:
    """Return the node port that some entry of a port asks for, 0 where none does."""
    same = (one for one in ports if (one.get("port") or 0) == number)
    return next((one["nodePort"] for one in same if one.get("nodePort")), 0)
