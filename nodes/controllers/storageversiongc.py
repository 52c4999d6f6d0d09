"""What API servers that are gone have said of their storage is forgotten.

A StorageVersion of which no server says anything any more goes with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.storageversions import NAMESPACE, is_identity, servers_of
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key, key_of
from nodes.client.resources import LEASES, STORAGEVERSIONS
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.storageversions import with_servers


class StorageVersionGC(ManagedController):
    """Keys are StorageVersions; Leases of API servers that are gone have a queue of their own."""

    name = "storageversion-garbage-collector-controller"
    service_account = "storage-version-garbage-collector"
    component = "storageversion-garbage-collector-controller"
    reconciles = STORAGEVERSIONS
    workers = 1

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._gone = self.also("leases of API servers", self._forget, workers=1)

    def start(self) -> None:
        self.informer(LEASES).on_change(self._on_lease)
        super().start()

    def _on_lease(self, old: Obj | None, new: Obj | None) -> None:
        if new is None and old is not None and namespace_of(old) == NAMESPACE and is_identity(old):
            self._gone.queue.add(key_of(old))

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            return
        leases = self.informer(LEASES)
        held = (leases.get(NAMESPACE, one["apiServerID"]) for one in servers_of(new))
        if not all(lease is not None and is_identity(lease) for lease in held):
            self.queue.add(key_of(new))

    async def _forget(self, key: Key) -> Result:
        """Forget a server in every StorageVersion, if its Lease is really gone."""
        if await self.client.find(LEASES, *key) is None:
            for one in (await self.client.list(STORAGEVERSIONS))[0]:
                left = [s for s in servers_of(one) if s["apiServerID"] != key.name]
                await self._keep(one, left)
        return DONE

    async def reconcile(self, key: Key) -> Result:
        found = await self.client.find(STORAGEVERSIONS, *key)
        if found is not None:
            left = []
            for server in servers_of(found):
                lease = await self.client.find(LEASES, NAMESPACE, server["apiServerID"])
                if lease is not None and is_identity(lease):
                    left.append(server)
            await self._keep(found, left)
        return DONE

    async def _keep(self, found: Obj, servers: Sequence[Obj]) -> None:
        """Leave these servers of those that a StorageVersion tells of."""
        if len(servers) == len(servers_of(found)):
            return
        if not servers:
            await self.client.delete(STORAGEVERSIONS, "", name_of(found))
            return
        changed = with_servers(found, servers, self.clock.timestamp())
        await self.client.update_status(changed, STORAGEVERSIONS)
