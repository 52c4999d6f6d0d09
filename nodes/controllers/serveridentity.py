"""The Lease by which the API server says that it lives, and those that others have left behind.

These are kube-apiserver's own loops (pkg/controlplane/controller/apiserverleasegc and the lease
controller of component-helpers) and act as it. Its Lease is renewed without writes, as those of
simulated nodes are.
"""

from __future__ import annotations

from apimachinery.meta import Obj, annotations_of, labels_of, namespace_of, replace_in, uid_of
from apimachinery.nodes import HOSTNAME_LABEL
from apimachinery.storageversions import (
    HOST,
    IDENTITY,
    KUBE_APISERVER,
    NAMESPACE,
    SERVER,
    is_identity,
)
from nodes.client.controller import DONE, Result
from nodes.client.election import instance
from nodes.client.leases import RENEWED_WHEN_READ, is_simulated, renewed_at
from nodes.client.lister import Key, key_of
from nodes.client.resources import LEASES, NAMESPACES
from nodes.controllers.common.base import ManagedController

# For so long (seconds) it counts as alive; so often kube-apiserver looks after its Lease.
_DURATION, _RENEWAL = 3600, 10.0
_OWN = Key(NAMESPACE, SERVER)
_LABELS = {IDENTITY: KUBE_APISERVER, HOSTNAME_LABEL: HOST}
_ANNOTATIONS = {RENEWED_WHEN_READ: "true"}


class ServerIdentity(ManagedController):
    """Keys are Leases of API servers."""

    name = "kube-apiserver-identity-lease-controller"
    service_account = ""
    component = "kube-apiserver"
    reconciles = LEASES
    workers = 1

    def start(self) -> None:
        super().start()
        self.queue.add(_OWN)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        lease = new if new is not None else old
        if lease is None:
            return
        if key_of(lease) == _OWN:
            if new is None or not _is_right(new):
                self.queue.add_after(_OWN, _RENEWAL)
        elif _is_of_another(lease):
            self.queue.add(key_of(lease))

    async def reconcile(self, key: Key) -> Result:
        lease = self.informer(LEASES).get(*key)
        if key == _OWN:
            await self._hold(lease)
        elif lease is not None and _is_of_another(lease):
            if (left := self._left(lease)) > 0:
                return Result(requeue_after=left)
            await self.client.delete(LEASES, *key, uid=uid_of(lease))
        return DONE

    async def _hold(self, lease: Obj | None) -> None:
        if lease is None:
            await self.client.create(await self._lease(), LEASES)
        elif not _is_right(lease):
            labels = {**labels_of(lease), **_LABELS}
            changed = replace_in(lease, ("metadata", "labels"), labels)
            marks = {**annotations_of(lease), **_ANNOTATIONS}
            await self.client.update(replace_in(changed, ("metadata", "annotations"), marks))

    async def _lease(self) -> Obj:
        # The uid of this namespace is what a cluster is known by.
        cluster = uid_of(await self.client.get(NAMESPACES, "", NAMESPACE))
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {
                "name": SERVER,
                "namespace": NAMESPACE,
                "labels": _LABELS,
                "annotations": _ANNOTATIONS,
            },
            "spec": {
                "holderIdentity": f"{SERVER}_{instance(KUBE_APISERVER, cluster)}",
                "leaseDurationSeconds": _DURATION,
                "renewTime": self.clock.micro_timestamp(),
            },
        }

    def _left(self, lease: Obj) -> float:
        """Return for how many seconds more a server counts as alive."""
        renewed = renewed_at(lease, self.clock)
        duration = lease["spec"].get("leaseDurationSeconds")
        if renewed is None or duration is None:
            return 0.0
        return renewed + float(duration) - self.clock.seconds()


def _is_of_another(lease: Obj) -> bool:
    return namespace_of(lease) == NAMESPACE and is_identity(lease) and not is_simulated(lease)


def _is_right(lease: Obj) -> bool:
    return labels_of(lease).items() >= _LABELS.items() and is_simulated(lease)
