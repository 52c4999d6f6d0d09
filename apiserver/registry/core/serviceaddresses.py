"""The addresses of Services: ranges come from ServiceCIDRs, and each address taken is an IPAddress.

The IPAddress is written in one transaction with the Service that holds it, so what is stored is the
whole truth. In memory there is only what requests under way have chosen and not stored yet.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from apimachinery.meta import Obj, is_deleting, name_of
from apimachinery.services import canonical, ip_address, service_addresses
from apimachinery.validation.names import parse_ip
from apiserver.registry.core.allocators import GRACE, Exhausted, Owner, Taken
from apiserver.registry.core.servicenetwork import DEFAULT_CIDR, SHORTEST_IPV6_PREFIX
from apiserver.registry.strategy import Companion, ObjectReader

# The ServiceCIDR that stands for the cluster's own ranges.
DEFAULT_NAME = "kubernetes"
SERVICECIDRS, IPADDRESSES = "servicecidrs.networking.k8s.io", "ipaddresses.networking.k8s.io"


@dataclass(frozen=True, slots=True)
class Range:
    """The addresses of one CIDR that may be given out: as numbers, from first to last.

    Those below `split` are kept for who chooses for themselves, as long as others are left.
    """

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    first: int
    last: int
    split: int

    @property
    def family(self) -> str:
        return f"IPv{self.network.version}"

    def candidates(self, source: random.Random) -> Iterator[str]:
        """Yield every address, the upper part first; each part from a place drawn at random."""
        for low, high in ((self.split, self.last), (self.first, self.split - 1)):
            if low <= high:
                start = source.randint(low, high)
                yield from map(self._text, range(start, high + 1))
                yield from map(self._text, range(low, start))

    def __contains__(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        same = address.version == self.network.version
        return same and self.first <= int(address) <= self.last

    def _text(self, number: int) -> str:
        kind = ipaddress.IPv4Address if self.network.version == 4 else ipaddress.IPv6Address
        return str(kind(number))


@lru_cache(maxsize=256)
def range_of(cidr: str) -> Range | None:
    """Return what a CIDR has to give; None where it is none, or too wide a range of IPv6."""
    try:
        network = ipaddress.ip_network(cidr)
    except ValueError:
        return None
    ipv6 = network.version == 6
    if ipv6 and network.prefixlen < SHORTEST_IPV6_PREFIX:
        return None
    first = int(network.network_address) + 1
    last = int(network.broadcast_address) - (0 if ipv6 else 1)
    return Range(network, first, last, first + _reserve(network.num_addresses))


def _reserve(size: int) -> int:
    """Return how many addresses are kept: none of 16 or less, else a sixteenth, 16 to 256."""
    return 0 if size <= 16 else min(max(16, size // 16), 256)


def _cidrs(servicecidr: Obj | None) -> Sequence[str]:
    return ((servicecidr or {}).get("spec") or {}).get("cidrs") or ()


def _is_ready(servicecidr: Obj) -> bool:
    """Tell whether addresses may be taken; yes while no controller has said anything."""
    if is_deleting(servicecidr):
        return False
    conditions = (servicecidr.get("status") or {}).get("conditions") or ()
    ready = [one.get("status") for one in conditions if one.get("type") == "Ready"]
    return not ready or ready[0] == "True"


class Addresses:
    """Chooses addresses, and remembers for a while which requests have chosen what."""

    def __init__(self, seed: int = 0, cidrs: Sequence[str] = (DEFAULT_CIDR,)) -> None:
        """`cidrs`: the cluster's own ranges, while no object says what they are."""
        self._own = cidrs
        self._random = random.Random(seed)  # noqa: S311 - a repeatable run, not a secret
        self._reserved: dict[str, tuple[Owner, float]] = {}

    def __len__(self) -> int:
        return len(self._reserved)

    def families(self, objects: ObjectReader) -> tuple[str, ...]:
        """Return the IP families that Services may have here, the usual one first.

        The ServiceCIDR of the cluster itself decides; further ones only add addresses.
        """
        own = _cidrs(objects.get(SERVICECIDRS, "", DEFAULT_NAME)) or self._own
        found = (range_of(cidr) for cidr in own)
        return tuple(dict.fromkeys(one.family for one in found if one is not None))

    def ranges(self, objects: ObjectReader) -> list[Range]:
        """Return the ranges that addresses may be taken from now, the cluster's own first."""
        servicecidrs = objects.list(SERVICECIDRS)
        servicecidrs.sort(key=lambda one: (name_of(one) != DEFAULT_NAME, name_of(one)))
        named = [cidr for one in servicecidrs if _is_ready(one) for cidr in _cidrs(one)]
        if not any(name_of(one) == DEFAULT_NAME for one in servicecidrs):
            named = [*self._own, *named]
        return [found for cidr in dict.fromkeys(named) if (found := range_of(cidr)) is not None]

    def check(self, text: str, owner: Owner, now: float, objects: ObjectReader) -> None:
        """Raise Taken where a Service that asks for this address cannot have it."""
        self.check_range(text, objects)
        if not self._is_free(canonical(text), owner, now, objects):
            raise Taken("provided IP is already allocated")

    def check_range(self, text: str, objects: ObjectReader) -> None:
        """Raise Taken where an address is of no range."""
        address = parse_ip(text)
        if address is None or not any(address in each for each in self.ranges(objects)):
            raise Taken("the provided network does not match the current range")

    def any_free(self, family: str, owner: Owner, now: float, objects: ObjectReader) -> str:
        """Return a free address of a family. Raises Exhausted."""
        for each in self.ranges(objects):
            if each.family == family:
                for text in each.candidates(self._random):
                    if self._is_free(text, owner, now, objects):
                        return text
        raise Exhausted("range is full")

    def reserve(self, text: str, owner: Owner, now: float) -> None:
        """Keep an address for a Service that is about to be stored."""
        name = canonical(text)
        self._reserved.pop(name, None)
        self._reserved[name] = (owner, now)
        # The oldest come first: they are stored by now, or never will be.
        while now - self._reserved[oldest := next(iter(self._reserved))][1] >= GRACE:
            del self._reserved[oldest]

    def forget(self, text: str, owner: Owner) -> None:
        """Take a reservation back, where it is the owner's."""
        name = canonical(text)
        if self._reserved.get(name, (None, 0.0))[0] == owner:
            del self._reserved[name]

    def _is_free(self, name: str, owner: Owner, now: float, objects: ObjectReader) -> bool:
        holder, since = self._reserved.get(name, (owner, now))
        if holder != owner and now - since < GRACE:
            return False
        return objects.get(IPADDRESSES, "", name) is None


def companions(service: Obj | None, old: Obj | None) -> list[Companion]:
    """Return the IPAddresses that come and go as a Service changes."""
    now = [] if service is None else service_addresses(service)
    before = [] if old is None else service_addresses(old)
    gone = [Companion(IPADDRESSES, canonical(text)) for text in before if text not in now]
    if service is None:
        return gone
    made = [text for text in now if text not in before]
    return [*gone, *(_companion(canonical(text), service) for text in made)]


def missing(services: Iterable[Obj], objects: ObjectReader) -> list[Companion]:
    """Return the IPAddresses that Services should have and have not."""
    return [
        _companion(name, service)
        for service in services
        for name in map(canonical, service_addresses(service))
        if objects.get(IPADDRESSES, "", name) is None
    ]


def _companion(name: str, service: Obj) -> Companion:
    return Companion(IPADDRESSES, name, ip_address(name, service))
