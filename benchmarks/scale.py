"""What a large cluster takes: how fast pods are bound, and whether a pod's cost grows with size."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx

from benchmarks.result import Row
from benchmarks.serving import PODS, cluster, instance, pod
from benchmarks.workloads import DEPLOYMENTS, until_ready

_LONGEST = 600.0


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


def _watch(client: httpx.Client, path: str, after: str, **params: str) -> Iterator[dict]:
    """Yield the objects of a watch as they change."""
    asked = {"watch": "1", "resourceVersion": after, **params}
    with client.stream("GET", path, params=asked, timeout=_LONGEST) as events:
        for line in events.iter_lines():
            yield json.loads(line)["object"]


def _revision(client: httpx.Client, path: str) -> str:
    answer = client.get(path, params={"limit": "1"})
    return str(answer.json()["metadata"]["resourceVersion"])


def scheduled_per_second(client: httpx.Client, pods: int) -> float:
    """Create a Deployment; return how many of its pods are bound in a second, of those between."""
    after = _revision(client, PODS)
    client.post(DEPLOYMENTS, json=_deployment("web", pods)).raise_for_status()
    bound: set[str] = set()
    first = 0.0
    for found in _watch(client, PODS, after):
        name = found["metadata"]["name"]
        if found["spec"].get("nodeName") and name not in bound:
            bound.add(name)
            first = first or time.perf_counter()
            if len(bound) == pods:
                return (pods - 1) / (time.perf_counter() - first)
    raise RuntimeError("the watch ended before the pods were bound")


def _deployment(name: str, replicas: int) -> dict:
    container = pod(generate="unused-")["spec"]["containers"][0]
    del container["readinessProbe"]
    labels = {"app": name}
    return {
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
