"""Control API: objects of a cluster by a part of their name, across all kinds that a user may list.

    GET clusters/NAME/search?q=web+prod&user=U&group=G&limit=20&rev=7

Each word must be in the name, the namespace or the kind; the first hits are those whose name is,
or begins with, a word. Names come from memory, or with `rev` from the log: nothing is parsed, and
kinds take turns with whoever else wants something.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from apiserver.auth.attributes import Attributes
from apiserver.auth.user import User
from apiserver.endpoints.past import require
from apiserver.registry.resource import Resource
from apiserver.storage import Key, past
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
    key: Key

    def as_json(self) -> dict[str, Any]:
        """Return where it is."""
        key, kind = self.key, self.resource.kind
        where = {"group": kind.group, "plural": self.resource.plural, "kind": kind.kind}
        return {**where, "namespace": key.namespace, "name": key.name}


async def search(call: Call) -> Answer:
    """Return the best hits, and how many there are in all."""
    cluster = call.cluster()
    words = call.text("q").lower().split()
    user = User(call.text("user"), tuple(call.query.get("group") or ()))
    limit = min(call.number("limit", 20), MOST)
    rev = call.number("rev", cluster.store.revision)
    found: list[Hit] = []
    if words:
        then = None if rev == cluster.store.revision else await _keys_at(cluster, rev, words)
        for resource in list(cluster.api.catalog):
            if resource.key not in NOISE:
                keys = _keys(cluster, resource) if then is None else then.get(resource.key, ())
                found.extend(hits(cluster, resource, keys, user, words))
                await asyncio.sleep(0)
    best = heapq.nsmallest(limit, found, key=lambda hit: hit.rank)
    return 200, {"items": [hit.as_json() for hit in best], "total": len(found)}


def _keys(cluster: RunningCluster, resource: Resource) -> Iterator[Key]:
    return (entry.key for entry in cluster.store.list(resource.key))


async def _keys_at(
    cluster: RunningCluster, rev: int, words: Sequence[str]
) -> Mapping[str, Sequence[Key]]:
    """Return what was there at a revision, by resource, of what may have the words."""
    require(cluster.store, rev)
    about = {resource.key: _about(resource) for resource in cluster.api.catalog}

    def fits(key: Key) -> bool:
        kind = about.get(key.resource)
        return kind is not None and _fits(key, [word for word in words if word not in kind])

    keys = await cluster.store.ask(rev, lambda cursor, n: past.named(cursor, n, rev, fits))
    found: dict[str, list[Key]] = {}
    for key in keys:
        found.setdefault(key.resource, []).append(key)
    return found


def hits(
    cluster: RunningCluster,
    resource: Resource,
    keys: Iterable[Key],
    user: User,
    words: Sequence[str],
) -> Iterator[Hit]:
    """Yield the objects of one kind that have all words, if the user may see them."""
    about = _about(resource)
    # A word about the kind is fulfilled by all of its objects.
    wanted = [word for word in words if word not in about]
    may_see = _rights(cluster, resource, user)
    for key in keys:
        if _fits(key, wanted) and may_see(key.namespace):
            yield Hit(_rank(resource, key, words), resource, key)


def _about(resource: Resource) -> set[str]:
    return {resource.plural, resource.kind.kind.lower(), *resource.short}


def _fits(key: Key, words: Sequence[str]) -> bool:
    return all(word in key.name or word in key.namespace for word in words)


def _rank(resource: Resource, key: Key, words: Sequence[str]) -> tuple[int, int, int, str, str]:
    name = key.name
    if name in words:
        fit = 0
    elif any(name.startswith(word) for word in words):
        fit = 1
    else:
        fit = 2 if any(f"-{word}" in name for word in words) else 3
    rank = _RANKS.get(resource.key, len(FIRST))
    return fit, rank, len(name), name, key.namespace + resource.key


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
