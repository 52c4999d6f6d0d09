"""The simulated machines of a cluster, by number: names, addresses, pod ranges."""

from __future__ import annotations

from apimachinery.storageversions import HOST
from nodes.kubelet.node import Machine

LARGEST = 1000
# Where the API server stands on the cluster's network.
API_NODE, API_ADDRESS = HOST, "172.18.0.1"


def control_plane() -> Machine:
    """Return the machine on which the control plane runs; its pods' range is the last."""
    return Machine(name=API_NODE, address=API_ADDRESS, pod_cidr="10.247.255.0/24")


def machine(number: int) -> Machine:
    """Return the machine with this number, from 0: node-1 at 172.18.0.2 with 10.244.0.0/24."""
    if not 0 <= number < LARGEST:
        raise ValueError(f"a cluster has at most {LARGEST} nodes")
    third, fourth = divmod(number + 2, 250)
    # 10.244.0.0/14 holds 1024 ranges of 254 addresses.
    second, pod_third = divmod(number, 256)
    return Machine(
        name=f"node-{number + 1}",
        address=f"172.18.{third}.{fourth}",
        pod_cidr=f"10.{244 + second}.{pod_third}.0/24",
    )
