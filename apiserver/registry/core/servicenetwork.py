"""Which addresses and ports a cluster's Services are given: what the operator says of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

DEFAULT_CIDR = "10.96.0.0/16"
DEFAULT_PORTS = (30000, 32767)
SHORTEST_IPV6_PREFIX = 64
_MOST_CIDRS = 2
_LEAST_ADDRESSES = 8
_FLAG = "--service-cluster-ip-range"


@dataclass(frozen=True, slots=True)
class ServiceNetwork:
    """One range of addresses, or one of each IP family; the first and the last node port."""

    cidrs: tuple[str, ...] = (DEFAULT_CIDR,)
    ports: tuple[int, int] = DEFAULT_PORTS

    @property
    def api_address(self) -> str:
        """Return the address of the Service `kubernetes`: the first one of the first range."""
        return str(ipaddress.ip_network(self.cidrs[0])[1])


def cidr_problems(cidrs: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the ranges that an operator names."""
    if len(cidrs) > _MOST_CIDRS:
        yield f"{_FLAG} must not contain more than two entries"
        return
    networks = []
    for at, cidr in enumerate(cidrs):
        try:
            networks.append(ipaddress.ip_network(cidr))
        except ValueError:
            yield f"{_FLAG}[{at}] is not a valid cidr"
    if len(networks) < len(cidrs):
        return
    if networks[0].version != 4:
        yield f"{_FLAG}[0] must be of IPv4, as the address of the API server is"
    if len({network.version for network in networks}) < len(networks):
        yield f"{_FLAG}[0] and {_FLAG}[1] must be of different IP family"
    for network in networks:
        if network.num_addresses < _LEAST_ADDRESSES:
            yield f"the service cluster IP range must be at least {_LEAST_ADDRESSES} IP addresses"
        if network.version == 6 and network.prefixlen < SHORTEST_IPV6_PREFIX:
            yield (
                f"specified {_FLAG} is too large; for 128-bit addresses, "
                f"the mask must be >= {SHORTEST_IPV6_PREFIX}"
            )
