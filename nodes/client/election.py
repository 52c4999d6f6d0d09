"""Leader election by Lease: who of a component's instances works, told where kubectl looks.

There is one instance of each component in a cluster, so it wins; it renews its Lease without
writes, as the Leases of simulated nodes are renewed. What a Lease says, that somebody else has
made, is left alone.
"""

from __future__ import annotations

import logging
from uuid import NAMESPACE_URL, UUID, uuid5

from apimachinery.clock import Clock
from apimachinery.errors import AlreadyExists, ApiError
from apimachinery.meta import Obj
from apimachinery.storageversions import HOST, NAMESPACE
from nodes.client.events import NORMAL, Recorder
from nodes.client.klog import SILENT, Klog
from nodes.client.leases import RENEWED_WHEN_READ
from nodes.client.resources import LEASES
from nodes.client.rest import Client

log = logging.getLogger(__name__)

# kube-controller-manager's and kube-scheduler's default.
DURATION = 15


async def lead(
    component: str,
    cluster: str,
    client: Client,
    recorder: Recorder,
    clock: Clock,
    klog: Klog = SILENT,
) -> None:
    """Hold the Lease of a component; an event says so when it is taken for the first time."""
    identity = f"{HOST}_{instance(component, cluster)}"
    lock = ("lock", f"{NAMESPACE}/{component}")
    klog.info("leaderelection.go:258", "Attempting to acquire leader lease...", *lock)
    try:
        made = await client.create(lease(component, identity, clock), LEASES)
    except AlreadyExists:
        if klog is not SILENT and await _holds(component, identity, client):
            klog.info("leaderelection.go:272", "Successfully acquired lease", *lock)
        return
    except ApiError as error:
        # Nothing depends on it: the component works all the same.
        log.warning("cannot take the lease of %s: %s", component, error.message)
        said = ("err", error.message, *lock)
        klog.error("leaderelection.go:452", "Error retrieving lease lock", *said)
        return
    klog.info("leaderelection.go:272", "Successfully acquired lease", *lock)
    recorder.event(made, NORMAL, "LeaderElection", f"{identity} became leader")


async def _holds(component: str, identity: str, client: Client) -> bool:
    try:
        held = await client.find(LEASES, NAMESPACE, component) or {}
    except ApiError:
        return False
    return bool((held.get("spec") or {}).get("holderIdentity") == identity)


def lease(component: str, identity: str, clock: Clock) -> Obj:
    """Build the Lease of a component."""
    now = clock.micro_timestamp()
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": component,
            "namespace": NAMESPACE,
            "annotations": {RENEWED_WHEN_READ: "true"},
        },
        "spec": {
            "holderIdentity": identity,
            "leaseDurationSeconds": DURATION,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": 0,
        },
    }


def instance(component: str, cluster: str) -> UUID:
    """Return the same for the same cluster: a restart is no change of leadership."""
    return uuid5(NAMESPACE_URL, f"{cluster}/{component}")
