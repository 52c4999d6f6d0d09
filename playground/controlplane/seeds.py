"""What a new cluster with a node for its control plane begins with: the Node, its pods running.

Stored with the cluster, so that nothing has to be started, written or told: the kubelet finds its
pods as after a restart.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence

from apimachinery.meta import Obj
from nodes.kubelet.static_pods import mirror_of, static_pod
from playground.cluster_templates.running import running_status
from playground.controlplane import manifests
from playground.machines import API_ADDRESS, API_NODE


def seeds(now: str, controllers: Sequence[str], service_ranges: Sequence[str]) -> Iterator[Obj]:
    """Yield the objects, as of a moment."""
    # Uids need not be secret, and equal ones in two clusters meet nowhere.
    source = random.Random(2)  # noqa: S311
    node = manifests.node(now)
    node["metadata"]["uid"] = str(uuid.UUID(int=source.getrandbits(128), version=4))
    yield node
    for manifest in manifests.manifests(controllers, service_ranges):
        pod = mirror_of(static_pod(manifest, API_NODE, now), node)
        # What admission adds.
        pod["spec"] |= {"enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority"}
        pod["status"] = {"qosClass": "Burstable"}
        pod["status"] |= running_status(pod, API_ADDRESS, API_ADDRESS, now, source)
        yield pod
