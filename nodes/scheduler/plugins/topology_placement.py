"""TopologyPlacement: the pods of a group stand together, where a node label has one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apimachinery.meta import Obj
from nodes.scheduler.framework import (
    Event,
    Hint,
    Placement,
    PlacementError,
    PlacementGeneratePlugin,
    always,
)
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podgroup import topology_key

_NO_DOMAIN = "cannot determine domain for already scheduled pods: "


class TopologyPlacement(PlacementGeneratePlugin):
    """Offers the nodes of each value; those of one alone once pods of the group stand there."""

    name = "TopologyPlacement"

    def hints(self) -> Mapping[Event, Hint]:
        return {Event.NODE_ADDED: always, Event.NODE_LABELS: always}

    def placements(
        self, group: Obj, nodes: Sequence[NodeInfo], there: Sequence[tuple[str, NodeInfo]]
    ) -> list[Placement]:
        key = topology_key(group)
        if not key:
            return [Placement("", nodes)]
        only = _domain(key, there)
        domains: dict[str, list[NodeInfo]] = {}
        for node in nodes:
            domain = node.labels.get(key)
            if domain is not None and only in (None, domain):
                domains.setdefault(domain, []).append(node)
        return [Placement(name, found) for name, found in sorted(domains.items())]


def _domain(key: str, there: Sequence[tuple[str, NodeInfo]]) -> str | None:
    """Return where pods of a group stand already; None for nowhere. Raises PlacementError."""
    found: str | None = None
    for pod, node in there:
        domain = node.labels.get(key)
        if domain is None:
            raise PlacementError(f"{_NO_DOMAIN}no topology domain found for pod {pod}")
        if found not in (None, domain):
            raise PlacementError(
                f"{_NO_DOMAIN}more than 1 domain found for pod group: {found}, {domain}"
            )
        found = domain
    return found
