"""Every node has a range of pod addresses: one that came without gets the first that is free."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from apimachinery.meta import Obj, is_deleting, name_of
from nodes.client.controller import DONE, Result
from nodes.client.events import NORMAL
from nodes.client.lister import Key
from nodes.client.resources import NODES
from nodes.controllers.common.base import ManagedController

_CLUSTER = ipaddress.ip_network("10.244.0.0/14")
_PREFIX = 24


class NodeIPAMController(ManagedController):
    """Keys are nodes; one at a time, so that no range is given away twice."""

    name = "node-ipam-controller"
    service_account = "node-controller"
    component = "cidrAllocator"
    reconciles = NODES
    workers = 1

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and not (new.get("spec") or {}).get("podCIDR"):
            super().on_object(old, new)

    async def reconcile(self, key: Key) -> Result:
        # A list as it is now: the cache may lack the range that was given away a moment ago.
        nodes, _ = await self.client.list(NODES)
        node = next((one for one in nodes if name_of(one) == key.name), None)
        if node is None or is_deleting(node) or (node.get("spec") or {}).get("podCIDR"):
            return DONE
        chosen = next(_free(nodes), None)
        if chosen is None:
            message = f"Node {key.name} status is now: CIDRNotAvailable"
            about = {"apiVersion": "v1", "kind": "Node", **node}
            self.recorder.event(about, NORMAL, "CIDRNotAvailable", message)
            return DONE
        body = {"spec": {"podCIDR": chosen, "podCIDRs": [chosen]}}
        await self.client.patch(NODES, "", key.name, body)
        return DONE


def _free(nodes: list[Obj]) -> Iterator[str]:
    taken = {cidr for node in nodes for cidr in (node.get("spec") or {}).get("podCIDRs") or ()}
    taken |= {(node.get("spec") or {}).get("podCIDR") for node in nodes}
    return (str(one) for one in _CLUSTER.subnets(new_prefix=_PREFIX) if str(one) not in taken)
