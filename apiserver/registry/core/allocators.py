"""What a cluster hands out to Services: node ports here, addresses in serviceaddresses.py.

Node ports are a ledger in memory: port -> which Service took it, and when. It is made anew
from the Services that exist when a cluster is opened, so nothing about it is stored. A request
may fail after it took something; so nothing has to be given back: whoever finds a value taken
looks whether that Service really has it, and if it has not for a while, the value is free.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from apimachinery.meta import Obj, name_of, namespace_of
from apiserver.registry.core.servicenetwork import DEFAULT_PORTS

SERVICE_IPS = "service-ips"
NODE_PORTS = "node-ports"
# How long a request may take from taking a value to being stored, in seconds.
GRACE = 30.0

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
        if now - since >= GRACE and not holds(holder, value):
            del self._taken[value]
            return False
        return True

    def any_free(self, owner: Owner, now: float, holds: Holds, chosen: Collection[int] = ()) -> int:
        """Return a free value, of the lower part only when the rest is gone; none of `chosen`."""
        for value in self._candidates():
            if value not in self._taken and value not in chosen:
                return value
        for value in list(self._taken):
            if value not in chosen and not self.is_taken(value, owner, now, holds):
                return value
        raise Exhausted("range is full")

    def _candidates(self) -> Iterator[int]:
        for low, high in ((self._split, self.high), (self.low, self._split - 1)):
            if low <= high:
                start = self._random.randint(low, high)
                yield from range(start, high + 1)
                yield from range(low, start)


class PortRange:
    """Node ports as a ledger; a port of TCP and the same of UDP count as one."""

    def __init__(self, ports: tuple[int, int] = DEFAULT_PORTS, seed: int = 0) -> None:
        first, last = ports
        self.ledger = Ledger(first, last, _port_reserve(last - first + 1), seed)

    def number(self, port: int) -> int:
        """Return the port. Raises Taken where it is outside of the range."""
        first, last = self.ledger.low, self.ledger.high
        if not first <= port <= last:
            raise Taken(
                "provided port is not in the valid range. "
                f"The range of valid ports is {first}-{last}"
            )
        return port


def _port_reserve(size: int) -> int:
    """Return how many ports are kept for those who choose: none of 16 or less, else 16 to 128."""
    return 0 if size <= 16 else min(max(16, size // 32), 128)


def open_ports(
    services: Iterable[Obj], within: tuple[int, int] = DEFAULT_PORTS, seed: int = 0
) -> PortRange:
    """Return the node ports of a cluster whose Services are these."""
    ports = PortRange(within, seed)
    for service in services:
        for port in service_ports(service):
            ports.ledger.record(port, owner_of(service))
    return ports


def owner_of(service: Mapping[str, Any]) -> Owner:
    return namespace_of(service), name_of(service)


def service_ports(service: Mapping[str, Any]) -> list[int]:
    """Return the node ports that a Service holds, each once."""
    spec = service.get("spec") or {}
    found = [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]
    if spec.get("healthCheckNodePort"):
        found.append(spec["healthCheckNodePort"])
    return list(dict.fromkeys(found))
