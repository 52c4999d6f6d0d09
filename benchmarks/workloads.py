"""How long a Deployment takes until all of its pods are Ready."""

from __future__ import annotations

import json
import time

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


def until_ready(client: httpx.Client, pods: int) -> float:
    """Create a Deployment; return the seconds until its status counts all pods as ready."""
    template = pod(generate="unused-")
    container = template["spec"]["containers"][0]
    # Readiness by a probe waits for its period; the row is about the control plane.
    del container["readinessProbe"]
    body = {
        "metadata": {"name": "web"},
        "spec": {
            "replicas": pods,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [container]},
            },
        },
    }
    begun = time.perf_counter()
    made = client.post(DEPLOYMENTS, json=body)
    made.raise_for_status()
    watch = {
        "watch": "1",
        "fieldSelector": "metadata.name=web",
        "resourceVersion": made.json()["metadata"]["resourceVersion"],
    }
    with client.stream("GET", DEPLOYMENTS, params=watch, timeout=300) as events:
        for line in events.iter_lines():
            status = json.loads(line)["object"].get("status", {})
            if status.get("readyReplicas") == pods:
                return time.perf_counter() - begun
    raise RuntimeError("the watch ended before the pods were ready")
