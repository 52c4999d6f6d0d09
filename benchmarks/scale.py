"""What a large cluster takes: whether a pod's cost grows with size, how fast pods are bound.

Clusters of 1, 2 and 4 times the size are compared by the processor seconds of the worker, which say
on a busy machine too whether the cost of a pod grows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice

import httpx

from benchmarks.idle import processor_seconds
from benchmarks.result import Row
from benchmarks.serving import PODS, cluster, instance
from benchmarks.workloads import DEPLOYMENTS, create, until_ready, watched
from tests.support.server import Playground

LARGEST, ROLLED = (1000, 10_000), (250, 5000)
_PROFILES = """
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles: [{schedulerName: default-scheduler}, {schedulerName: late}]
"""
# So much at once may take minutes on a slow machine (seconds).
_PATIENCE = 900.0


def scale() -> list[Row]:
    """1, 2 and 4 times as many; pods bound in a second; 10,000 pods; a rollover of 5,000."""
    with instance("--template", "bare") as running:
        rows = [row for times in (1, 2, 4) for row in _grown(running, times)]
        with cluster(running, "s100", 0) as client:
            rate = scheduled_per_second(client, 1000, 100)
        rows.append(Row("scheduling of 1,000 pods on 100 nodes", rate, 500, "pods/s", more=True))
        rows += _largest(running)
        rows += _rolled(running)
    return rows


def _grown(running: Playground, times: int) -> list[Row]:
    pods, nodes = 250 * times, 25 * times
    with cluster(running, f"x{times}", nodes) as client:
        took, spent = _measured(running, lambda: until_ready(client, pods))
    name = f"a pod until Ready, of {pods:,} on {nodes} nodes ({times}x)"
    return [
        Row(name, took * 1e3 / pods, 10.0, "ms"),
        Row(f"{name}, CPU", spent * 1e3 / pods, 10.0, "ms"),
    ]


def _largest(running: Playground) -> list[Row]:
    nodes, pods = LARGEST
    with cluster(running, "largest", nodes) as client:
        took, spent = _measured(running, lambda: until_ready(client, pods, _PATIENCE))
    name = f"{pods:,} pods on {nodes:,} nodes until all Ready"
    return [Row(name, took, 60, "s"), Row(f"{name}, CPU", spent, 60, "s")]


def _rolled(running: Playground) -> list[Row]:
    nodes, pods = ROLLED
    with cluster(running, "rolled", nodes) as client:
        until_ready(client, pods, _PATIENCE)
        took, spent = _measured(running, lambda: until_rolled(client, pods))
    name = f"rollover of {pods:,} pods on {nodes} nodes"
    return [Row(name, took, 120, "s"), Row(f"{name}, CPU", spent, 120, "s")]


def _measured(running: Playground, act: Callable[[], float]) -> tuple[float, float]:
    """Return what `act` says that it took, and the processor seconds of the worker meanwhile."""
    worker = running.child("playground.worker")
    before = processor_seconds(worker)
    took = act()
    return took, processor_seconds(worker) - before


def scheduled_per_second(client: httpx.Client, pods: int, nodes: int) -> float:
    """Let a scheduler begin that pods wait for; return how many are bound in a second from then on.

    That is what one that has been down finds: pods and nodes are there. Nobody is on the nodes, as
    with Kubernetes' own scheduler_perf: nothing starts there.
    """
    for number in range(nodes):
        client.post("/api/v1/nodes", json=_node(number)).raise_for_status()
    after = create(client, pods, schedulerName="late")
    for last in islice(watched(client, PODS, after), pods):
        after = last["metadata"]["resourceVersion"]
    config = {"metadata": {"name": "kube-scheduler-config"}, "data": {"config.yaml": _PROFILES}}
    path = "/api/v1/namespaces/kube-system/configmaps"
    begun = time.perf_counter()
    client.post(path, json=config).raise_for_status()
    seen: set[str] = set()
    for found in watched(client, PODS, after):
        if found["spec"].get("nodeName"):
            seen.add(found["metadata"]["name"])
        if len(seen) == pods:
            return pods / (time.perf_counter() - begun)
    raise RuntimeError(f"the watch ended after {len(seen)} of {pods} pods")


def _node(number: int) -> dict:
    room = {"cpu": "32", "memory": "64Gi", "pods": "110"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    return {
        "metadata": {"name": f"empty-{number}"},
        "status": {"capacity": room, "allocatable": room, "conditions": [ready]},
    }


def until_rolled(client: httpx.Client, pods: int) -> float:
    """Give the Deployment another template; return the seconds until it has rolled over."""
    begun = time.perf_counter()
    patch = {"spec": {"template": {"metadata": {"annotations": {"rolled": "once"}}}}}
    headers = {"Content-Type": "application/merge-patch+json"}
    changed = client.patch(f"{DEPLOYMENTS}/web", json=patch, headers=headers).raise_for_status()
    metadata = changed.json()["metadata"]
    selected = {"fieldSelector": "metadata.name=web"}
    events = watched(client, DEPLOYMENTS, metadata["resourceVersion"], _PATIENCE, **selected)
    for found in events:
        status = found.get("status", {})
        counts = ("replicas", "updatedReplicas", "availableReplicas")
        seen = status.get("observedGeneration", 0) >= metadata["generation"]
        if seen and all(status.get(count) == pods for count in counts):
            return time.perf_counter() - begun
    raise RuntimeError("the watch ended before the pods were replaced")
