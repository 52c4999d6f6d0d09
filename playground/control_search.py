"""Control API: objects of a cluster by a part of their name, across all kinds that a user may list.

    GET clusters/NAME/search?q=web+prod&user=U&group=G&limit=20

Each word must be in the name, the namespace or the kind; the first hits are those whose name is,
or begins with, a word. Names come from memory: nothing is parsed, and kinds take turns with
whoever else wants something.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from apiserver.auth.attributes import Attributes
from apiserver.auth.user import User
from apiserver.registry.resource import Resource
from apiserver.storage.types import Entry
from playground.cluster import RunningCluster
from playground.control_call import Answer, Call, Routes

MOST = 100
# Written all the time by machines, about something that has a page of its own.
NOISE = {"events", "leases.coordination.k8s.io", "endpointslices.discovery.k8s.io", "endpoints"}
# Of two equally good names, what people look for most comes first.
FIRST = (
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "services",
    "pods",
    "nodes",
    "namespaces",
    "configmaps",
    "jobs.batch",
    "cronjobs.batch",
    "ingresses.networking.k8s.io",
    "persistentvolumeclaims",
    "secrets",
    "replicasets.apps",
)
_RANKS = {key: rank for rank, key in enumerate(FIRST)}


class Hit(NamedTuple):
    """An object that was found; hits compare by how well they fit, the best being the least."""

    rank: tuple[int, int, int, str, str]
    resource: Resource
    entry: Entry

    def as_json(self) -> dict[str, Any]:
        """Return where it is."""
        key, kind = self.entry.key, self.resource.kind
        where = {"group": kind.group, "plural": self.resource.plural, "kind": kind.kind}
        return {**where, "namespace": key.namespace, "name": key.name}


async def search(call: Call) -> Answer:
    """Return the best hits, and how many there are in all."""
    cluster = call.cluster()
    words = call.text("q").lower().split()
    user = User(call.text("user"), tuple(call.query.get("group") or ()))
    limit = min(call.number("limit", 20), MOST)
    found: list[Hit] = []
    if words:
        for resource in list(cluster.api.catalog):
            if resource.key not in NOISE:
                found.extend(hits(cluster, resource, user, words))
                await asyncio.sleep(0)
    best = heapq.nsmallest(limit, found, key=lambda hit: hit.rank)
    return 200, {"items": [hit.as_json() for hit in best], "total": len(found)}


def hits(
    cluster: RunningCluster, resource: Resource, user: User, words: Sequence[str]
) -> Iterator[Hit]:
    """Yield the objects of one kind that have all words, if the user may see them."""
    about = f"{resource.plural} {resource.kind.kind.lower()} {' '.join(resource.short)}"
    # A word about the kind is fulfilled by all of its objects.
    wanted = [word for word in words if word not in about.split()]
    may_see = _rights(cluster, resource, user)
    for entry in cluster.store.list(resource.key):
        key = entry.key
        if all(word in key.name or word in key.namespace for word in wanted) and may_see(
            key.namespace
        ):
            yield Hit(_rank(resource, entry, words), resource, entry)


def _rank(resource: Resource, entry: Entry, words: Sequence[str]) -> tuple[int, int, int, str, str]:
    name = entry.key.name
    if name in words:
        fit = 0
    elif any(name.startswith(word) for word in words):
        fit = 1
    else:
        fit = 2 if any(f"-{word}" in name for word in words) else 3
    rank = _RANKS.get(resource.key, len(FIRST))
    return fit, rank, len(name), name, entry.key.namespace + resource.key


def _rights(cluster: RunningCluster, resource: Resource, user: User) -> Callable[[str], bool]:
    """Return what tells, for a namespace, whether the user may list the kind there."""
    known: dict[str, bool] = {}

    def may(namespace: str) -> bool:
        asked = Attributes(
            user,
            "list",
            resource.kind.group,
            resource.kind.version,
            resource.plural,
            namespace=namespace,
        )
        return cluster.auth.authorize(asked).allowed

    everywhere = may("")

    def may_see(namespace: str) -> bool:
        if everywhere or not namespace:
            return everywhere
        if namespace not in known:
            known[namespace] = may(namespace)
        return known[namespace]

    return may_see


ROUTES: Routes = {("GET", 2, "search"): search}
