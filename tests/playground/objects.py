"""Objects for the site's tests, as the API would serve them; small, but whole enough to show."""

from __future__ import annotations

from typing import Any

from tests.playground.fakeanswers import CREATED
from tests.playground.fakecluster import FakeCluster


def node(name: str, zone: str = "", *, ready: bool = True, cpu: str = "4") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": zone} if zone else {}},
        "spec": {},
        "status": {
            "allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"},
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True" if ready else "False",
                    "message": "kubelet is posting ready status" if ready else "kubelet stopped",
                }
            ],
            "nodeInfo": {"kubeletVersion": "v1.36.2"},
        },
    }


def pod(
    name: str,
    node: str = "",
    phase: str = "Running",
    namespace: str = "default",
    app: str = "web",
    owner: str = "",
    *,
    restarts: int = 0,
    waiting: str = "",
) -> dict[str, Any]:
    state: dict[str, Any] = {"running": {"startedAt": CREATED}}
    if waiting:
        state = {"waiting": {"reason": waiting, "message": f"about {name}"}}
    ready = phase == "Running" and not waiting
    statuses = [
        {
            "name": "main",
            "ready": ready,
            "restartCount": restarts,
            "state": state if phase == "Running" or waiting else {},
        }
    ]
    owners = [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "rs",
            "uid": owner,
            "controller": True,
        }
    ]
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app": app},
            **({"ownerReferences": owners} if owner else {}),
        },
        "spec": {
            **({"nodeName": node} if node else {}),
            "containers": [
                {"name": "main", "image": "nginx", "resources": {"requests": {"cpu": "100m"}}}
            ],
        },
        "status": {
            "phase": phase,
            "containerStatuses": statuses if node else [],
            "conditions": []
            if node
            else [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "message": "0/3 nodes are available: 3 Insufficient cpu.",
                }
            ],
        },
    }


def workload(
    kind: str, name: str, desired: int, ready: int, owner: str = "", namespace: str = "default"
):
    owners = [{"kind": "Deployment", "name": "d", "uid": owner, "controller": True}]
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"{kind}-{name}",
            **({"ownerReferences": owners} if owner else {}),
        },
        "spec": {"replicas": desired},
        "status": {"replicas": desired, "readyReplicas": ready},
    }


def small(cluster: FakeCluster) -> None:
    """Three nodes, one Deployment of three, one pod that waits, one that crashes."""
    for name, zone in (("n1", "zone-a"), ("n2", "zone-a"), ("n3", "zone-b")):
        cluster.put("nodes", node(name, zone))
    for name in ("default", "kube-system"):
        cluster.put("namespaces", {"metadata": {"name": name}, "status": {"phase": "Active"}})
    cluster.put("deployments", workload("d", "web", 3, 3))
    cluster.put("replicasets", workload("rs", "web-7c9", 3, 3, owner="d-web"))
    for index in range(3):
        cluster.put("pods", pod(f"web-7c9-{index}", f"n{index + 1}", owner="rs-web-7c9"))
    cluster.put("pods", pod("big-0", phase="Pending", app="big"))
    cluster.put("pods", pod("api-0", "n2", app="api", waiting="CrashLoopBackOff", restarts=7))
    cluster.put("pods", pod("dns-0", "n1", namespace="kube-system", app="dns"))
    cluster.put(
        "services",
        {
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.7", "selector": {"app": "web"}},
        },
    )
    cluster.put(
        "events",
        {
            "metadata": {"name": "api-0.1", "namespace": "default"},
            "type": "Warning",
            "involvedObject": {
                "kind": "Pod",
                "namespace": "default",
                "name": "api-0",
                "uid": "pods-default-api-0",
            },
            "reason": "BackOff",
            "message": "Back-off restarting failed container main",
            "count": 4,
            "lastTimestamp": CREATED,
            "source": {"component": "kubelet"},
        },
    )
    cluster.logs["web-7c9-0"] = "ready to serve\n"


def large(cluster: FakeCluster, pods: int, nodes: int) -> None:
    """Many pods on many nodes, ten to a Deployment, in four zones."""
    for index in range(nodes):
        cluster.put("nodes", node(f"node-{index}", f"zone-{'abcd'[index % 4]}", cpu="16"))
    for first in range(0, pods, 10):
        name = f"app-{first // 10}"
        cluster.put("deployments", workload("d", name, 10, 10))
        cluster.put("replicasets", workload("rs", f"{name}-5f", 10, 10, owner=f"d-{name}"))
        for index in range(first, min(first + 10, pods)):
            item = pod(
                f"{name}-5f-{index}", f"node-{index % nodes}", app=name, owner=f"rs-{name}-5f"
            )
            cluster.put("pods", item)
