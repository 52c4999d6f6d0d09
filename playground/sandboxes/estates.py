"""The clusters that somebody leaves: counted, deleted, or handed over to somebody else; and what
they were given to reach clusters with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from playground.sandboxes.gateway import Cluster, Gateway


def counts(clusters: Iterable[Cluster]) -> Mapping[str, int]:
    """Return how many clusters each owner has."""
    return Counter(cluster.owner for cluster in clusters)


def of(clusters: Iterable[Cluster], owner: str) -> list[Cluster]:
    """Return the clusters of one owner."""
    return [cluster for cluster in clusters if cluster.owner == owner]


def delete(gateway: Gateway, owner: str) -> int:
    """Delete every cluster of an owner; return how many there were."""
    found = of(gateway.clusters(), owner)
    for cluster in found:
        gateway.delete(cluster.name)
    return len(found)


def hand_over(gateway: Gateway, owner: str, heir: str) -> int:
    """Give every cluster of an owner to another one; return how many there were."""
    found = of(gateway.clusters(), owner)
    for cluster in found:
        gateway.change(cluster.name, {"owner": heir})
    return len(found)


def shut_out(gateway: Gateway, name: str) -> None:
    """Let kubeconfigs that somebody was given count no more, in every cluster."""
    for cluster in gateway.clusters():
        gateway.revoke(cluster.name, name)


def begin_anew(gateway: Gateway, name: str) -> None:
    """Do so for who has another role now, and for those who may look at their clusters."""
    for cluster in gateway.clusters():
        gateway.revoke(cluster.name, "" if cluster.owner == name else name)
