"""Node leases: how a node says that it lives, in writing or by being simulated.

A kubelet on another machine renews its Lease every ten seconds. A simulated node is known to
live by the process itself, so its Lease carries an annotation instead, and no write happens
until the node is switched off: then the annotation goes and renewTime says when it was.
"""

from __future__ import annotations

from apimachinery.clock import Clock, parse_time
from apimachinery.meta import Obj, annotations_of, name_of, uid_of

NAMESPACE = "kube-node-lease"
DURATION = 40

# With this annotation a lease counts as renewed at any moment; its value is not looked at.
RENEWED_WHEN_READ = "kubeground.io/renewed-when-read"


def node_lease(node: Obj, clock: Clock, *, simulated: bool) -> Obj:
    """Build the Lease of a node, owned by it, as a kubelet does."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": name_of(node), "uid": uid_of(node)}
    metadata: Obj = {
        "name": name_of(node),
        "namespace": NAMESPACE,
        "ownerReferences": [owner],
    }
    if simulated:
        metadata["annotations"] = {RENEWED_WHEN_READ: "true"}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": {
            "holderIdentity": name_of(node),
            "leaseDurationSeconds": DURATION,
            "renewTime": clock.micro_timestamp(),
        },
    }


def is_simulated(lease: Obj) -> bool:
    """Tell whether the lease counts as renewed whenever it is read."""
    return RENEWED_WHEN_READ in annotations_of(lease)


def renewed_at(lease: Obj, clock: Clock) -> float | None:
    """Return the cluster second of the last renewal, None if there never was one."""
    if is_simulated(lease):
        return clock.seconds()
    text = (lease.get("spec") or {}).get("renewTime")
    return parse_time(text).timestamp() if text else None
