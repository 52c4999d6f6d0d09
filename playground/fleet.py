"""The clusters of one worker process: made, opened, found by name, deleted."""

from __future__ import annotations

import asyncio
import logging
import secrets
import uuid
from collections.abc import Iterator

from apimachinery.errors import AlreadyExists, NotFound
from apimachinery.gvk import GroupResource
from apimachinery.meta import Obj
from apiserver.auth.bootstrap.objects import bootstrap_objects
from apiserver.auth.cluster import create_credentials
from apiserver.registry.catalog import RESOURCES
from apiserver.registry.resource import Resource
from apiserver.storage import ClusterRecord, Key, Storage, Write
from nodes.client.loopclock import LoopClock
from playground.cluster import RunningCluster, Surface
from playground.cluster_templates import TEMPLATES
from playground.secure_server import ClientTrust

log = logging.getLogger(__name__)

CLUSTERS = GroupResource("kubeground.io", "clusters")


class Fleet:
    """Every cluster of this worker. Methods run on the event loop."""

    def __init__(self, storage: Storage, surface: Surface, trust: ClientTrust) -> None:
        self._storage, self._surface, self._trust = storage, surface, trust
        self._running: dict[str, RunningCluster] = {}
        self._lock = asyncio.Lock()

    def find(self, name: str) -> RunningCluster | None:
        """Return a cluster that runs."""
        return self._running.get(name)

    def __iter__(self) -> Iterator[RunningCluster]:
        return iter(list(self._running.values()))

    async def create(
        self, name: str, *, nodes: int, template: str, owner: str = ""
    ) -> RunningCluster:
        """Make a cluster and start it. Raises AlreadyExists."""
        async with self._lock:
            if name in self._running:
                raise AlreadyExists(CLUSTERS, name)
            clock = LoopClock()
            uid = str(uuid.uuid4())
            credentials = create_credentials(uid, clock)
            record = ClusterRecord(
                name=name,
                uid=uid,
                owner=owner,
                template=template,
                nodes=nodes,
                ca_cert=credentials.ca_certificate,
                ca_key=credentials.ca_key,
                sa_key=credentials.token_key,
            )
            fresh = bootstrap_objects(clock, credentials.ca_certificate)
            objects = [*fresh, *TEMPLATES[template]()]
            writes = initial_writes(objects, clock.timestamp())
            store = await self._storage.create_cluster(record, writes)
            store.clock = clock
            return await self._start(RunningCluster(store, self._surface, clock))

    async def open_all(self) -> None:
        """Open every cluster of the database."""
        await self._storage.purge()
        for record in await self._storage.clusters():
            store = await self._storage.open_cluster(record.name)
            clock = LoopClock()
            store.clock = clock
            await self._start(RunningCluster(store, self._surface, clock))

    async def delete(self, name: str) -> None:
        """End a cluster and remove all of it. Raises NotFound."""
        async with self._lock:
            cluster = self._running.pop(name, None)
            if cluster is None:
                raise NotFound(CLUSTERS, name)
            await cluster.close()
            await self._storage.delete_cluster(name)

    async def close(self) -> None:
        """End all clusters, their writes committed."""
        running = list(self._running.values())
        self._running.clear()
        await asyncio.gather(*(cluster.close() for cluster in running))
        await self._storage.close()

    async def _start(self, cluster: RunningCluster) -> RunningCluster:
        self._trust.add(cluster.auth.ca_certificate)
        self._running[cluster.name] = cluster
        await cluster.start()
        return cluster


_BY_KIND: dict[tuple[str, str], Resource] = {
    (resource.kind.api_version, resource.kind.kind): resource for resource in RESOURCES
}


def initial_writes(objects: list[Obj], now: str) -> list[Write]:
    """Return the writes that make these objects as if they had been created one by one."""
    return [_write(obj, _BY_KIND[obj["apiVersion"], obj["kind"]], now) for obj in objects]


def _write(obj: Obj, resource: Resource, now: str) -> Write:
    metadata = obj["metadata"]
    stamped = {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "metadata": {
            "name": metadata["name"],
            **({"namespace": metadata["namespace"]} if "namespace" in metadata else {}),
            "uid": str(uuid.UUID(int=secrets.randbits(128), version=4)),
            **({"generation": metadata["generation"]} if "generation" in metadata else {}),
            "creationTimestamp": now,
            **{
                key: value
                for key, value in metadata.items()
                if key not in ("name", "namespace", "generation")
            },
        },
        **{k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata")},
    }
    return Write(
        key=Key(resource.key, metadata.get("namespace") or "", metadata["name"]),
        type="ADDED",
        obj=stamped,
        uid=stamped["metadata"]["uid"],
        labels=metadata.get("labels") or {},
        fields={path: read(stamped) for path, read in resource.selectable.items()},
        expected=0,
        actor="system:apiserver",
        trace="",
    )
