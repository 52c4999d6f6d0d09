"""Control API: how a cluster is. The impersonation headers say who looks.

    GET clusters/NAME/overview?namespace=&seen=&rev=

Counts of objects by kind and health, and Warning events by reason, as far as the viewer may list
them; what the control plane does, if the viewer may read /metrics, as for the API's own page.

`seen` is the revision that the caller knows: where it is the newest, counts and warnings are left
out, and who has seen one is content with what another of the same rights was told a moment ago.
`rev` asks for the past, which knows neither requests nor queues. What was found out about an object
is kept for a minute.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast

from apimachinery.errors import Expired
from apimachinery.gvk import GroupVersionKind
from apiserver.endpoints.past import require
from apiserver.registry.resource import Resource
from apiserver.storage import Compacted, Entry, past
from playground.cluster import RunningCluster
from playground.control_call import Answer, Call, Routes
from playground.control_shared import OfClusters, Shared
from playground.control_viewer import Viewer
from playground.overview.health import LEVELS, Health, backed, health, is_judged, of_service
from playground.overview.warned import Warned, by_reason
from playground.stories import worker_of

# In this order; other kinds follow, counted only.
ORDER = (
    "pods",
    "nodes",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "services",
    "persistentvolumeclaims",
    "persistentvolumes",
    "namespaces",
    "customresourcedefinitions.apiextensions.k8s.io",
    "apiservices.apiregistration.k8s.io",
)
SLICES = "endpointslices.discovery.k8s.io"
# What tells of other objects, and is written all the time.
NOISE = {"events", "leases.coordination.k8s.io", SLICES, "endpoints"}
# A cluster in which there is none of these, outside of kube-system and the like, is idle.
WORK = ("pods", "deployments.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch")
# Objects that are named, of those in trouble; objects of a reason; reasons.
NAMED, ABOUT, REASONS = 5, 5, 30
# Parsed before others have a turn: some 5 ms.
TURN = 400
# A page asks every two seconds: it is told what is so old at most.
YOUNG = 1.0
SPAN = 300.0
RANK = {level: rank for rank, level in enumerate(LEVELS)}

Known = dict[tuple[str, str], tuple[int, Any]]


@dataclass(slots=True)
class _Kept:
    """What was found out about objects, and told of them."""

    known: Known = field(default_factory=dict)
    answers: Shared = field(default_factory=Shared)


_KEPT = OfClusters(_Kept)


class Reader:
    """One look at the objects of a cluster, as the viewer may list them."""

    def __init__(
        self, cluster: RunningCluster, viewer: Viewer, namespace: str, rev: int | None
    ) -> None:
        self.cluster, self.viewer, self.rev = cluster, viewer, rev
        self.namespace = namespace
        self._known = _KEPT[cluster].known if rev is None else {}
        self._parsed = 0

    def _may_see(self, resource: Resource) -> Callable[[str], bool]:
        """Return what tells, for a namespace, whether one may list the kind there."""
        everywhere, wanted = self.viewer.may_list(resource.key), self.namespace

        def may(namespace: str) -> bool:
            if wanted and namespace != wanted and resource.namespaced:
                return False
            return everywhere or bool(namespace and self.viewer.may_list(resource.key, namespace))

        return may

    async def entries(self, resource: Resource) -> list[Entry]:
        """Return what one may list of a kind."""
        may = self._may_see(resource)
        return [entry for entry in await self.stored(resource.key) if may(entry.key.namespace)]

    async def stored(self, resource: str) -> Sequence[Entry]:
        """Return all that there is of a kind."""
        store = self.cluster.store
        if self.rev is None:
            return store.list(resource)
        return await store.list_at(resource, None, self.rev)

    def is_hidden(self, resource: Resource) -> bool:
        """Tell whether one may list a kind nowhere."""
        key = resource.key
        return not self.viewer.may_list(key) and not (
            resource.namespaced and any(self.viewer.may_list(key, one) for one in self.spaces())
        )

    def spaces(self) -> list[str]:
        """Return the namespaces that are looked at."""
        if self.namespace:
            return [self.namespace]
        return [entry.key.name for entry in self.cluster.store.list("namespaces")]

    async def told(
        self, entries: Sequence[Entry], tell: Callable[[Entry], Any]
    ) -> AsyncIterator[tuple[Entry, Any]]:
        """Yield each entry with what `tell` makes of it, made once for each of its revisions."""
        for entry in entries:
            at = (entry.key.resource, entry.uid)
            known = self._known.get(at)
            if known is None or known[0] != entry.revision:
                known = self._known[at] = (entry.revision, tell(entry))
                self._parsed += 1
                if self._parsed % TURN == 0:
                    await asyncio.sleep(0)
            yield entry, known[1]


async def overview(call: Call) -> Answer:
    """Return how the cluster is, now or at a revision."""
    cluster, viewer = call.cluster(), Viewer.of(call, call.cluster())
    store = cluster.store
    rev = call.number("rev", 0) if call.text("rev") else None
    found: dict[str, Any] = {"revision": store.revision, "at": cluster.clock.seconds()}
    if rev is not None:
        require(store, rev)
        found = {"revision": rev, "at": await _moment(cluster, rev)}
    elif viewer.may_see_control_plane():
        found["control"] = control(cluster)
    reader = Reader(cluster, viewer, call.text("namespace"), rev)
    if rev is None:
        return 200, found | await _newest(reader, call.number("seen", 0))
    try:
        return 200, found | await _objects(reader)
    except Compacted as gone:
        raise Expired(str(gone)) from None


async def _newest(reader: Reader, seen: int) -> dict[str, Any]:
    """Return how things are now, or a moment ago; but for who has seen that."""
    store = reader.cluster.store
    if seen == store.revision:
        return {}
    catalog = [one for one in reader.cluster.api.catalog if "list" in one.verbs]
    key = (reader.namespace, reader.viewer.sight(catalog, reader.spaces()))
    revision, found = await _KEPT[reader.cluster].answers.get(
        key, store.revision, lambda: _objects(reader), young=YOUNG if seen else 0.0
    )
    return {"revision": revision, **({} if revision == seen else found)}


async def _moment(cluster: RunningCluster, rev: int) -> float:
    query = lambda cursor, number: past.moments(cursor, number, [rev])  # noqa: E731
    found = await cluster.store.ask(rev, query)
    return found[0][1] if found else cluster.store.record.created


async def _objects(reader: Reader) -> dict[str, Any]:
    catalog = reader.cluster.api.catalog
    first = [one for key in ORDER if (one := catalog.get(key)) is not None]
    others = [one for one in catalog if one.key not in {*ORDER, *NOISE} and "list" in one.verbs]
    kinds, works, unseen = [], 0, []
    for resource in [*first, *sorted(others, key=lambda one: one.plural)]:
        entries = await reader.entries(resource)
        if resource.key in WORK:
            works += sum(not entry.key.namespace.startswith("kube-") for entry in entries)
        if resource.key in ORDER and not entries and reader.is_hidden(resource):
            unseen.append(resource.plural)
        elif entries or resource.key in ORDER[:3]:
            kinds.append(await _kind(reader, resource, entries))
        await asyncio.sleep(0)
    return {
        "kinds": kinds,
        "unseen": unseen,
        "idle": not works and "pods" not in unseen,
        "warnings": await _warnings(reader),
    }


async def _kind(reader: Reader, resource: Resource, entries: list[Entry]) -> dict[str, Any]:
    about = {**_place(resource), "total": len(entries)}
    if resource.key == "services":
        judged = await _services(reader, entries)
    elif is_judged(resource.key):

        def tell(entry: Entry) -> Health | None:
            return health(resource.key, entry.obj())

        judged = [one async for one in reader.told(entries, tell)]
    else:
        return about
    return about | summed(judged)


async def _services(reader: Reader, entries: list[Entry]) -> list[tuple[Entry, Health]]:
    # Whether a Service has endpoints is told to whoever may list the Service.
    ready: Counter[tuple[str, str]] = Counter()
    slices = await reader.stored(SLICES)
    async for entry, (name, count) in reader.told(slices, lambda entry: backed(entry.obj())):
        ready[entry.key.namespace, name] += count

    def tell(entry: Entry) -> tuple[Health, Health]:
        service = entry.obj()
        return of_service(service, 0), of_service(service, 1)

    return [
        (entry, one[bool(ready[entry.key.namespace, entry.key.name])])
        async for entry, one in reader.told(entries, tell)
    ]


def summed(judged: Sequence[tuple[Entry, Health]]) -> dict[str, Any]:
    """Return how many are how, and the names of some in trouble; the worst first."""
    counts = Counter((found.level, found.word) for _, found in judged)
    states = [
        {"word": word, "level": level, "count": count}
        for (level, word), count in sorted(
            counts.items(), key=lambda one: (RANK[one[0][0]], -one[1], one[0][1])
        )
    ]
    trouble = [one for one in judged if one[1].level in LEVELS[:2]]
    trouble.sort(key=lambda one: (RANK[one[1].level], one[0].key.namespace, one[0].key.name))
    return {
        "states": states,
        "trouble": [
            {"namespace": entry.key.namespace, "name": entry.key.name, **found._asdict()}
            for entry, found in trouble[:NAMED]
        ],
        "more": max(0, len(trouble) - NAMED),
    }


def _place(resource: Resource) -> dict[str, Any]:
    kind = resource.kind
    return {
        "resource": resource.key,
        "group": kind.group,
        "version": kind.version,
        "plural": resource.plural,
        "kind": kind.kind,
        "namespaced": resource.namespaced,
    }


async def _warnings(reader: Reader) -> dict[str, Any]:
    events = cast(Resource, reader.cluster.api.catalog.get("events"))
    entries = await reader.entries(events)
    wanted = [entry for entry in entries if entry.field("type") == "Warning"]
    told = [event async for _, event in reader.told(wanted, lambda entry: entry.obj())]
    groups = by_reason(told)
    return {
        "items": [_warned(reader.cluster, one) for one in groups[:REASONS]],
        "more": max(0, len(groups) - REASONS),
        "allowed": bool(entries) or not reader.is_hidden(events),
    }


def _warned(cluster: RunningCluster, one: Warned) -> dict[str, Any]:
    objects = []
    for version, kind, namespace, name in one.latest(ABOUT):
        group, _, short = version.rpartition("/")
        served = cluster.api.catalog.of_kind(GroupVersionKind(group, short, kind))
        where = {"group": group, "version": short, "plural": served.plural if served else ""}
        objects.append({"kind": kind, "namespace": namespace, "name": name, **where})
    return {
        "reason": one.reason,
        "count": one.count,
        "last": one.last,
        "message": one.message,
        "objects": objects,
        "more": max(0, len(one.objects) - ABOUT),
    }


# -- the control plane ---------------------------------------------------------------------------


def control(cluster: RunningCluster) -> dict[str, Any]:
    """Return what the control plane does: requests, watches, queues."""
    queues = {"kube-scheduler": cluster.scheduler.queue.depths(), **cluster.manager.depths()}
    watching = _watching(cluster)
    return {
        "pace": cluster.api.pace.read(perf_counter(), SPAN),
        "watches": {
            "http": cluster.api.watches,
            "total": sum(watching.values()),
            "clients": [{"name": name, "count": n} for name, n in watching.most_common()],
        },
        "queues": [{"name": name, "depths": depths} for name, depths in queues.items()],
        "inflight": sum(cluster.api.flow.under_way.values()),
    }


def _watching(cluster: RunningCluster) -> Counter[str]:
    """Return how many watches each client has; kubelets are one."""
    named: Counter[str] = Counter()
    for (user, _resource), count in cluster.store.hub.watching().items():
        name = worker_of(user)[0] or "kube-apiserver"
        named["kubelets" if name.startswith("kubelet ") else name] += count
    return named


ROUTES: Routes = {("GET", 2, "overview"): overview}
