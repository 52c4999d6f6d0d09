"""What a large cluster takes: how fast pods are bound, and whether a pod's cost grows with size."""

from __future__ import annotations

import time

import httpx

from benchmarks.result import Row
from benchmarks.serving import PODS, cluster, instance
from benchmarks.workloads import create, until_ready, watched


def scale() -> list[Row]:
    """1, 2 and 4 times as many pods and nodes; how many pods are bound in a second."""
    with instance() as running:
        rows = []
        for times in (1, 2, 4):
            with cluster(running, f"x{times}", 25 * times) as client:
                took = until_ready(client, 250 * times)
            each = took * 1e3 / (250 * times)
            name = f"a pod until Ready, of {250 * times:,} on {25 * times} nodes ({times}x)"
            rows.append(Row(name, each, 10.0, "ms"))
        with cluster(running, "s100", 100) as client:
            rate = scheduled_per_second(client, 1000)
        rows.append(Row("scheduling of 1,000 pods on 100 nodes", rate, 500, "pods/s", more=True))
    return rows


def scheduled_per_second(client: httpx.Client, pods: int) -> float:
    """Create a Deployment; return how many of its pods are bound in a second, of those between."""
    after = create(client, pods)
    bound: set[str] = set()
    first = 0.0
    for found in watched(client, PODS, after):
        name = found["metadata"]["name"]
        if found["spec"].get("nodeName") and name not in bound:
            bound.add(name)
            first = first or time.perf_counter()
            if len(bound) == pods:
                return (pods - 1) / (time.perf_counter() - first)
    raise RuntimeError("the watch ended before the pods were bound")
