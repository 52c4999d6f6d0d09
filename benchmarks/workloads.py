"""How long a Deployment takes until all of its pods are Ready."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx

from benchmarks.result import Row
from benchmarks.serving import cluster, instance, pod

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def deployments() -> list[Row]:
    """100 pods on 3 nodes, 1,000 pods on 50."""
    rows = []
    with instance() as running:
        for pods, nodes, target in ((100, 3, 1.5), (1000, 50, 10.0)):
            with cluster(running, f"d{pods}", nodes) as client:
                took = until_ready(client, pods)
            name = f"Deployment of {pods:,} pods on {nodes} nodes until all Ready"
            rows.append(Row(name, took, target, "s"))
    return rows


def deployment(replicas: int) -> dict:
    """A Deployment of pods that are ready at once."""
    container = pod(generate="unused-")["spec"]["containers"][0]
    # Readiness by a probe waits for its period; the rows are about the control plane.
    del container["readinessProbe"]
    labels = {"app": "web"}
    return {
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def create(client: httpx.Client, replicas: int, **spec: str) -> str:
    """Create the Deployment, of pods with such a spec; return the revision that it has."""
    wanted = deployment(replicas)
    wanted["spec"]["template"]["spec"] |= spec
    made = client.post(DEPLOYMENTS, json=wanted).raise_for_status()
    return str(made.json()["metadata"]["resourceVersion"])


def watched(
    client: httpx.Client, path: str, after: str, patience: float = 300, **params: str
) -> Iterator[dict]:
    """Yield the objects of a watch as they change; `patience`: seconds between two of them."""
    asked = {"watch": "1", "resourceVersion": after, **params}
    with client.stream("GET", path, params=asked, timeout=patience) as events:
        for line in events.iter_lines():
            yield json.loads(line)["object"]


def until_ready(client: httpx.Client, pods: int, patience: float = 300) -> float:
    """Create a Deployment; return the seconds until its status counts all pods as ready."""
    begun = time.perf_counter()
    after = create(client, pods)
    selected = {"fieldSelector": "metadata.name=web"}
    for found in watched(client, DEPLOYMENTS, after, patience, **selected):
        if found.get("status", {}).get("readyReplicas") == pods:
            return time.perf_counter() - begun
    raise RuntimeError("the watch ended before the pods were ready")
