"""The addresses of the simulated cloud's load balancers: where they stand, and who has which."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.nodes import address
from nodes.client.lister import Lister

# Where the addresses stand: `first-last`, separated by commas.
POOL_NAMESPACE, POOL_NAME, POOL_FIELD = "kube-system", "load-balancer-addresses", "addresses"


def is_pool(obj: Obj) -> bool:
    return (namespace_of(obj), name_of(obj)) == (POOL_NAMESPACE, POOL_NAME)


def pool(configmaps: Lister) -> list[str] | None:
    """Return the addresses of the cloud in order, None where there is no cloud."""
    found = configmaps.get(POOL_NAMESPACE, POOL_NAME)
    return None if found is None else list(_addresses(found.get("data") or {}))


def shared(configmaps: Lister, nodes: Lister, taken: Iterable[str]) -> str:
    """Return the address of what serves many at once: the last free one, or else a node's own."""
    found = pool(configmaps)
    if not found:
        return next(iter(of_nodes(nodes)), "")
    used = set(taken)
    return next((one for one in reversed(found) if one not in used), "")


def of_nodes(nodes: Lister) -> list[str]:
    return sorted(filter(None, (address(node, "InternalIP") for node in nodes.list())))


def address_of(obj: Obj) -> str:
    """Return the address of a Service or an Ingress, "" while it has none."""
    given = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return next((str(one["ip"]) for one in given if one.get("ip")), "")


def _addresses(data: Obj) -> Iterator[str]:
    """Read ranges; what is no range is passed over."""
    for part in str(data.get(POOL_FIELD) or "").replace(",", " ").split():
        first, _, last = part.partition("-")
        try:
            begin, end = ipaddress.IPv4Address(first), ipaddress.IPv4Address(last or first)
        except ValueError:
            continue
        # As many as a cloud of this size has: nobody fills a cluster's memory with a range.
        for number in range(int(begin), min(int(end), int(begin) + 1023) + 1):
            yield str(ipaddress.IPv4Address(number))
