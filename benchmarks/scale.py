"""What a large cluster takes: whether a pod's cost grows with size, how fast pods are bound.

Clusters of 1, 2 and 4 times the size are compared by the processor seconds of the worker, which say
on a busy machine too whether the cost of a pod grows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx

from benchmarks.idle import processor_seconds
from benchmarks.result import Row
from benchmarks.serving import PODS, cluster, instance
from benchmarks.workloads import DEPLOYMENTS, create, until_ready, watched
from tests.support.server import Playground

LARGEST, ROLLED = (1000, 10_000), (250, 5000)
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
    """Let pods wait for nodes; return how many are bound in a second once there are some.

    Nobody is on the nodes, as with Kubernetes' own scheduler_perf: nothing starts there.
    """
    after = create(client, pods)
    for _ in _first_of(client, after, pods, _has_been_tried):
        pass
    after = client.get(PODS, params={"limit": 1}).json()["metadata"]["resourceVersion"]
    with ThreadPoolExecutor(1) as beside:
        made = beside.submit(_make_nodes, client, nodes)
        bound = _first_of(client, after, pods, lambda pod: bool(pod["spec"].get("nodeName")))
        times = [time.perf_counter() for _ in bound]
        made.result()
    return (pods - 1) / (times[-1] - times[0])


def _make_nodes(client: httpx.Client, nodes: int) -> None:
    for number in range(nodes):
        client.post("/api/v1/nodes", json=_node(number)).raise_for_status()


def _first_of(
    client: httpx.Client, after: str, pods: int, is_so: Callable[[dict], bool]
) -> Iterator[str]:
    """Yield each pod's name when something is so of it for the first time."""
    seen: set[str] = set()
    for found in watched(client, PODS, after):
        name = found["metadata"]["name"]
        if name not in seen and is_so(found):
            seen.add(name)
            yield name
            if len(seen) == pods:
                return
    raise RuntimeError(f"the watch ended after {len(seen)} of {pods} pods")


def _has_been_tried(pod: dict) -> bool:
    return any(one["type"] == "PodScheduled" for one in pod["status"].get("conditions", ()))


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
