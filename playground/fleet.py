"""The clusters of one worker process: made, opened, found by name, deleted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

from apimachinery.errors import AlreadyExists, NotFound
from apimachinery.gvk import GroupResource, GroupVersion
from apimachinery.meta import Obj
from apiserver.auth.bootstrap.objects import bootstrap_objects
from apiserver.auth.pki import holder_mark
from apiserver.registry.bootstrap import initial_writes
from apiserver.registry.catalog import Catalog
from apiserver.registry.metadata import Identity
from apiserver.storage import ClusterExists, ClusterRecord, ClusterStore, Imported, Storage, past
from nodes.client.loopclock import LoopClock
from nodes.client.rest import Client
from playground.beginnings import Beginnings
from playground.cluster import API_USER, RunningCluster, Surface, address_of
from playground.cluster_templates import features_of, seeds_of, template_of
from playground.cluster_templates.features import CONTROL_PLANE
from playground.cluster_time import Start
from playground.controlplane.seeds import seeds as control_plane
from playground.failures import carrying
from playground.failures.journal import Moment
from playground.kept import Kept
from playground.rekeying import rekey
from playground.resting import EXPIRES, PODS, RESTING, REVOKED, USED, Sleeper, now, settled
from playground.secure_server import ClientTrust

log = logging.getLogger(__name__)

CLUSTERS = GroupResource("kubeground.io", "clusters")

# The built-in kinds: what a cluster holds before it has any of its own.
_CATALOG = Catalog()


class Fleet:
    """Every cluster of this worker. Methods run on the event loop."""

    def __init__(
        self,
        storage: Storage,
        surface: Surface,
        trust: ClientTrust,
        beginnings: Beginnings | None = None,
    ) -> None:
        self._storage, self._surface, self._trust = storage, surface, trust
        self._beginnings = beginnings or Beginnings()
        self._running: dict[str, RunningCluster] = {}
        self._resting: dict[str, Sleeper] = {}
        self._lock = asyncio.Lock()

    def find(self, name: str) -> RunningCluster | None:
        """Return a cluster that runs."""
        return self._running.get(name)

    def sleeper(self, name: str) -> Sleeper | None:
        """Return a cluster at rest."""
        return self._resting.get(name)

    def sleepers(self) -> list[Sleeper]:
        """Return every cluster at rest."""
        return list(self._resting.values())

    def __iter__(self) -> Iterator[RunningCluster]:
        return iter(list(self._running.values()))

    async def create(
        self,
        name: str,
        *,
        nodes: int,
        template: str,
        owner: str = "",
        features: Sequence[str] | None = None,
        expires: float | None = None,
    ) -> RunningCluster:
        """Make a cluster and start it; without `features` it has those of its template.

        It is paused when `expires` (seconds since the epoch) has come.

        Raises AlreadyExists.
        """
        async with self._lock:
            self._require_free(name)
            clock, uid = self._beginnings.clock(), self._beginnings.uid()
            credentials = self._beginnings.credentials(uid, clock)
            record = ClusterRecord(
                name=name,
                uid=uid,
                owner=owner,
                template=template,
                nodes=nodes,
                ca_cert=credentials.ca_certificate,
                ca_key=credentials.ca_key,
                sa_key=credentials.token_key,
                settings={EXPIRES: expires} if expires else {},
            )
            fresh = bootstrap_objects(
                clock,
                credentials.ca_certificate,
                self._beginnings.front_proxy(credentials, clock),
                services=self._surface.services,
            )
            wanted = features_of(template_of(template), nodes, features)
            moment = clock.timestamp()
            objects = [*fresh, *seeds_of(template_of(template), moment, wanted)]
            if CONTROL_PLANE in wanted:
                surface = self._surface
                objects += control_plane(moment, surface.controllers, surface.services.cidrs)
            identity = Identity(self._beginnings.chance(uid, 0))
            writes = initial_writes(_CATALOG, objects, identity, clock)
            store = await self._storage.create_cluster(record, writes)
            store.clock = clock
            try:
                cluster = await self._start(self._cluster(store, clock))
                await furnish(cluster, template_of(template).objects())
            except BaseException:
                if (begun := self._running.pop(name, None)) is not None:
                    await _close(begun)
                await self._storage.delete_cluster(name)
                raise
            return cluster

    async def fork(
        self,
        source: RunningCluster,
        revision: int,
        *,
        name: str,
        owner: str = "",
        expires: float | None = None,
    ) -> RunningCluster:
        """Make a cluster that begins as another was at a revision, with keys of its own.

        Raises AlreadyExists, or the storage's Compacted.
        """
        async with self._lock:
            self._require_free(name)
            was = source.store.record
            uid = self._beginnings.uid()
            credentials = self._beginnings.credentials(uid, source.clock)
            record = ClusterRecord(
                name=name,
                uid=uid,
                owner=owner,
                template=was.template,
                nodes=was.nodes,
                ca_cert=credentials.ca_certificate,
                ca_key=credentials.ca_key,
                sa_key=credentials.token_key,
                settings={EXPIRES: expires} if expires else {},
            )
            store = await self._storage.fork_cluster(source.store, revision, record)
            try:
                await rekey(store, credentials, source.clock)
                await self._open(name)
                moments = carrying.mended(source.failures.journal.moments, revision)
                await self._running[name].failures.take_along(moments)
            except BaseException:
                await self._storage.delete_cluster(name)
                raise
            return self._running[name]

    async def import_log(
        self,
        batches: AsyncIterator[Sequence[Imported]],
        record: ClusterRecord,
        *,
        expires: float | None = None,
        moments: Sequence[Moment] = (),
    ) -> RunningCluster:
        """Make a cluster that goes on where a log ends, with keys of its own.

        `record` has its name, owner, template, nodes, and the ends of the log. Others are made and
        deleted while the log is read. Raises AlreadyExists, and what `batches` raises.
        """
        name = record.name
        self._require_free(name)
        clock, record.uid = self._beginnings.clock(), self._beginnings.uid()
        credentials = self._beginnings.credentials(record.uid, clock)
        record.ca_cert, record.ca_key = credentials.ca_certificate, credentials.ca_key
        record.sa_key = credentials.token_key
        record.settings = {EXPIRES: expires} if expires else {}
        try:
            number = await self._storage.import_log(record, batches)
            async with self._lock:
                store = await self._storage.reveal_cluster(number, name)
                try:
                    reached = self._beginnings.clock(last_write=await last_write(store))
                    await rekey(store, credentials, reached)
                    await self._open(name)
                    ended = carrying.mended(moments, record.revision)
                    await self._running[name].failures.take_along([*moments, *ended])
                except BaseException:
                    await self._storage.delete_cluster(name)
                    raise
                return self._running[name]
        except ClusterExists:
            raise AlreadyExists(CLUSTERS, name) from None

    def _require_free(self, name: str) -> None:
        if name in self._running or name in self._resting:
            raise AlreadyExists(CLUSTERS, name)

    async def open_all(self) -> None:
        """Open every cluster of the database. One that cannot be opened is logged and left out."""
        await self._storage.purge()
        for record in await self._storage.clusters():
            if RESTING in record.settings:
                self._resting[record.name] = Sleeper(record)
                continue
            try:
                await self._open(record.name)
            except Exception:
                log.exception("cannot open cluster %s", record.name)

    async def _open(self, name: str) -> None:
        store = await self._storage.open_cluster(name)
        start = await Start.read(Kept(self._surface.data_dir, store.record.uid))
        store.clock = clock = self._beginnings.clock(start, await last_write(store))
        await self._start(self._cluster(store, clock))

    async def pause(self, name: str) -> None:
        """Put a cluster to rest; one that rests already is left so. Raises NotFound."""
        async with self._lock:
            if name in self._resting:
                return
            cluster = self._running.pop(name, None)
            if cluster is None:
                raise NotFound(CLUSTERS, name)
            record = cluster.store.record
            record.revision = cluster.store.revision
            pods = len(cluster.store.list("pods"))
            record.settings = settled(record, **{RESTING: now(), USED: cluster.used, PODS: pods})
            cluster.api.traces.close()
            await _close(cluster)
            await self._storage.update_cluster(record)
            await self._storage.close_cluster(name)
            self._resting[name] = Sleeper(record)

    async def resume(self, name: str, expires: float | None = None) -> RunningCluster:
        """Open a cluster that rests, until `expires`. Raises NotFound."""
        async with self._lock:
            if (running := self._running.get(name)) is not None:
                return running
            sleeper = self._resting.get(name)
            if sleeper is None:
                raise NotFound(CLUSTERS, name)
            record = sleeper.record
            record.settings = settled(record, **{RESTING: None, PODS: None, EXPIRES: expires})
            await self._storage.update_cluster(record)
            await self._open(name)
            del self._resting[name]
            return self._running[name]

    async def change(self, record: ClusterRecord, **settings: Any) -> None:
        """Store a cluster's record, with some settings changed."""
        record.settings = settled(record, **settings)
        await self._storage.update_cluster(record)

    async def revoke(self, record: ClusterRecord, holder: str) -> None:
        """Let what a holder was given count no more, or, with "", what anybody was given."""
        mark = holder_mark(holder) if holder else ""
        revoked = {**(record.settings.get(REVOKED) or {}), mark: now()}
        await self.change(record, **{REVOKED: revoked})
        if (cluster := self._running.get(record.name)) is not None:
            for end in tuple(cluster.api.open_streams):
                end()

    async def delete(self, name: str) -> None:
        """End a cluster and remove all of it. Raises NotFound."""
        async with self._lock:
            if (sleeper := self._resting.pop(name, None)) is not None:
                await Kept(self._surface.data_dir, sleeper.record.uid).discard()
                await self._storage.delete_cluster(name)
                return
            cluster = self._running.pop(name, None)
            if cluster is None:
                raise NotFound(CLUSTERS, name)
            await _close(cluster)
            await cluster.kept.discard()
            await self._storage.delete_cluster(name)

    async def close(self) -> None:
        """End all clusters, their writes committed."""
        running = list(self._running.values())
        self._running.clear()
        for cluster in running:
            if cluster.used:
                await self.change(cluster.store.record, **{USED: cluster.used})
        await asyncio.gather(*map(_close, running))
        await self._storage.close()

    def _cluster(self, store: ClusterStore, clock: LoopClock) -> RunningCluster:
        chance = self._beginnings.chance(store.record.uid, store.revision)
        return RunningCluster(store, self._surface, clock, chance)

    async def _start(self, cluster: RunningCluster) -> RunningCluster:
        self._trust.add(cluster.auth.ca_certificate)
        cluster.used = float(cluster.store.record.settings.get(USED) or 0.0)
        self._running[cluster.name] = cluster
        try:
            await cluster.start()
        except BaseException:
            # Half of a cluster would answer, and hold its name, without anything at work in it.
            del self._running[cluster.name]
            await _close(cluster)
            raise
        return cluster


async def furnish(cluster: RunningCluster, objects: Iterable[Obj]) -> None:
    """Create a template's objects as its administrator would, with all that admission adds."""
    client = Client(cluster.transport(API_USER), "kubectl")
    for obj in objects:
        kind = GroupVersion.parse(obj["apiVersion"]).kind(obj["kind"])
        found = _CATALOG.of_kind(kind)
        assert found is not None  # noqa: S101 - templates hold what is served
        await client.create(obj, address_of(found.resource))


async def _close(cluster: RunningCluster) -> None:
    """End a cluster's workers; a fault of theirs keeps nobody else from ending."""
    try:
        await cluster.close()
    except Exception:
        log.exception("cannot end cluster %s in good order", cluster.name)


async def last_write(store: ClusterStore) -> float:
    """Return the moment of a cluster's last write, by its clock; 0 where the log has none."""
    revision = store.revision
    found = await store.ask(
        revision, lambda cursor, number: past.moments(cursor, number, [revision])
    )
    return max((at for _, at in found), default=0.0)
