"""What a cluster hands out to Services: addresses of the service range, and node ports.

An allocator is a ledger in memory: value -> which Service took it, and when. It is made anew
from the Services that exist when a cluster is opened, so nothing about it is stored. A request
may fail after it took something; so nothing has to be given back: whoever finds a value taken
looks whether that Service really has it, and if it has not for a while, the value is free.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from apimachinery.meta import Obj, name_of, namespace_of

SERVICE_IPS = "service-ips"
NODE_PORTS = "node-ports"
DEFAULT_CIDR = "10.96.0.0/12"
FIRST_PORT, LAST_PORT = 30000, 32767
# The lower part of a range is kept for those who choose for themselves:
# min(max(16, 2768 / 32), 128) ports, min(max(16, addresses / 16), 256) addresses.
_PORT_RESERVE = 86
_ADDRESS_RESERVE = 256
# How long a request may take from taking a value to being stored, in seconds.
_GRACE = 30.0

Owner = tuple[str, str]
# Tells whether a Service, as it is stored, has a value.
Holds = Callable[[Owner, int], bool]


class Taken(Exception):
    """Somebody has it already, or it is not ours to give. The text is for a field error."""


class Exhausted(Exception):
    """Nothing is left to hand out."""


class Ledger:
    """Numbers from `low` to `high`, who has which, and since when."""

    def __init__(self, low: int, high: int, reserve: int, seed: int = 0) -> None:
        self.low, self.high = low, high
        self._split = min(low + reserve, high)
        self._taken: dict[int, tuple[Owner, float]] = {}
        self._random = random.Random(seed)  # noqa: S311 - a repeatable run, not a secret

    def __len__(self) -> int:
        return len(self._taken)

    def record(self, value: int, owner: Owner, now: float = 0.0) -> None:
        self._taken[value] = (owner, now)

    def forget(self, value: int, owner: Owner) -> None:
        """Make a value free, where it is the owner's."""
        if value in self._taken and self._taken[value][0] == owner:
            del self._taken[value]

    def is_taken(self, value: int, owner: Owner, now: float, holds: Holds) -> bool:
        """Tell whether somebody else has the value; what nobody stored counts for a while."""
        if value not in self._taken:
            return False
        holder, since = self._taken[value]
        if holder == owner:
            return False
        if now - since >= _GRACE and not holds(holder, value):
            del self._taken[value]
            return False
        return True

    def any_free(self, owner: Owner, now: float, holds: Holds) -> int:
        """Return a free value, of the lower part only when the rest is gone."""
        for value in self._candidates():
            if value not in self._taken:
                return value
        for value in list(self._taken):
            if not self.is_taken(value, owner, now, holds):
                return value
        raise Exhausted("range is full")

    def _candidates(self) -> Iterator[int]:
        for low, high in ((self._split, self.high), (self.low, self._split - 1)):
            if low <= high:
                start = self._random.randint(low, high)
                yield from range(start, high + 1)
                yield from range(low, start)


class AddressRange:
    """The addresses of the service range, without the first and the last, as a ledger."""

    def __init__(self, cidr: str = DEFAULT_CIDR, seed: int = 0) -> None:
        self.network = ipaddress.ip_network(cidr)
        first = int(self.network.network_address)
        self.ledger = Ledger(
            first + 1, first + self.network.num_addresses - 2, _ADDRESS_RESERVE, seed
        )

    def number(self, address: str) -> int:
        """Return an address as a number. Raises Taken where it is outside of the range."""
        try:
            number = int(ipaddress.ip_address(address))
        except ValueError:
            number = 0
        edges = self.ledger.low - 1, self.ledger.high + 1
        if not edges[0] <= number <= edges[1]:
            raise Taken("the provided network does not match the current range")
        if number in edges:
            raise Taken(
                f"the provided IP ({address}) is not in the valid range. "
                f"The range of valid IPs is {self.network}"
            )
        return number

    @staticmethod
    def text(number: int) -> str:
        return str(ipaddress.ip_address(number))


class PortRange:
    """Node ports as a ledger; a port of TCP and the same of UDP count as one."""

    def __init__(self, seed: int = 0) -> None:
        self.ledger = Ledger(FIRST_PORT, LAST_PORT, _PORT_RESERVE, seed)

    def number(self, port: int) -> int:
        """Return the port. Raises Taken where it is outside of the range."""
        if not FIRST_PORT <= port <= LAST_PORT:
            raise Taken(
                "provided port is not in the valid range. "
                f"The range of valid ports is {FIRST_PORT}-{LAST_PORT}"
            )
        return port


def open_allocators(
    services: Iterable[Obj], cidr: str = DEFAULT_CIDR, seed: int = 0
) -> dict[str, Any]:
    """Return `StrategyContext.allocators` of a cluster whose Services are these."""
    addresses, ports = AddressRange(cidr, seed), PortRange(seed)
    for service in services:
        owner = owner_of(service)
        for address in service_addresses(service):
            try:
                addresses.ledger.record(addresses.number(address), owner)
            except Taken:
                continue  # of a range that the cluster had before
        for port in service_ports(service):
            ports.ledger.record(port, owner)
    return {SERVICE_IPS: addresses, NODE_PORTS: ports}


def owner_of(service: Mapping[str, Any]) -> Owner:
    return namespace_of(service), name_of(service)


def service_addresses(service: Mapping[str, Any]) -> list[str]:
    """Return the cluster addresses that a Service holds."""
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return []
    found = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [address for address in found if address and address != "None"]


def service_ports(service: Mapping[str, Any]) -> list[int]:
    """Return the node ports that a Service holds, each once."""
    spec = service.get("spec") or {}
    found = [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]
    if spec.get("healthCheckNodePort"):
        found.append(spec["healthCheckNodePort"])
    return list(dict.fromkeys(found))
