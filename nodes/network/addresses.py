"""Pod addresses: each node hands out those of its podCIDR, lowest first, a freed one last.

As the host-local plugin does, the network address and the first one (the bridge's) are kept back.
"""

from __future__ import annotations

from collections import deque
from ipaddress import ip_network


class AddressesExhausted(Exception):
    """The node's podCIDR has no address left."""


class Pool:
    """The addresses of one podCIDR."""

    __slots__ = ("_first", "_freed", "_last", "_next", "_used", "cidr")

    def __init__(self, cidr: str) -> None:
        network = ip_network(cidr)
        self.cidr = cidr
        self._first = int(network.network_address)
        self._next = self._first + 2
        self._last = int(network.broadcast_address) - 1
        self._freed: deque[int] = deque()
        self._used: set[int] = set()

    def allocate(self) -> str:
        """Return an address that nobody has."""
        if self._next <= self._last:
            number = self._next
            self._next += 1
        elif self._freed:
            number = self._freed.popleft()
        else:
            raise AddressesExhausted(f"no IP addresses available in range set: {self.cidr}")
        self._used.add(number)
        return _dotted(number)

    def claim(self, ip: str) -> bool:
        """Take this very address, if it is one of the pool's and nobody has it."""
        number = _number(ip) if is_ip(ip) else 0
        if not self._first + 2 <= number <= self._last or number in self._used:
            return False
        if number >= self._next:
            # Those that were passed over are free, as if they had been given back.
            self._freed.extend(range(self._next, number))
            self._next = number + 1
        else:
            self._freed.remove(number)
        self._used.add(number)
        return True

    def release(self, ip: str) -> None:
        """Take an address back; fine if it is free."""
        number = _number(ip)
        if number in self._used:
            self._used.remove(number)
            self._freed.append(number)

    @property
    def gateway(self) -> str:
        """The bridge's own address."""
        return _dotted(self._first + 1)

    def __contains__(self, ip: str) -> bool:
        return self._first <= _number(ip) <= self._last + 1


def _dotted(number: int) -> str:
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def _number(ip: str) -> int:
    value = 0
    for part in ip.split("."):
        value = value << 8 | int(part)
    return value


def is_ip(text: str) -> bool:
    """Whether the text is an IPv4 address in its usual form."""
    parts = text.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)
