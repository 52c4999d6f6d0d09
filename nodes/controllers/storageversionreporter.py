"""The API server says in StorageVersions in which version it stores each kind.

This is kube-apiserver's own loop (apiserver/pkg/storageversion) and acts as it, once its Lease is
there, since others forget who has none. There it goes through all kinds every ten minutes; here it
looks at what changes.
"""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.storageversions import NAMESPACE, SERVER, servers_of
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key, key_of
from nodes.client.resources import LEASES, STORAGEVERSIONS
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.storageversions import with_servers

_LEASE = Key(NAMESPACE, SERVER)


class StorageVersionReporter(ManagedController):
    """Keys are StorageVersions."""

    name = "kube-apiserver-storage-version-updater"
    service_account = ""
    component = "kube-apiserver"
    reconciles = STORAGEVERSIONS
    workers = 1

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._stored = context.served.stored()

    def start(self) -> None:
        super().start()
        self.informer(LEASES).on_change(self._on_lease)

    def _on_lease(self, old: Obj | None, new: Obj | None) -> None:
        if old is None and new is not None and key_of(new) == _LEASE:
            for name in self._stored:
                self.queue.add(Key("", name))

    async def reconcile(self, key: Key) -> Result:
        server = self._stored.get(key.name)
        if server is None or self.informer(LEASES).get(*_LEASE) is None:
            return DONE
        found = self.informer(STORAGEVERSIONS).get(*key)
        if found is None:
            found = await self.client.create(_new(key.name), STORAGEVERSIONS)
        servers = servers_of(found)
        if server not in servers:
            places = {one["apiServerID"]: one for one in servers} | {SERVER: server}
            changed = with_servers(found, [*places.values()], self.clock.timestamp())
            await self.client.update_status(changed, STORAGEVERSIONS)
        return DONE


def _new(name: str) -> Obj:
    return {
        "apiVersion": STORAGEVERSIONS.api_version,
        "kind": STORAGEVERSIONS.kind,
        "metadata": {"name": name},
        "spec": {},
    }
