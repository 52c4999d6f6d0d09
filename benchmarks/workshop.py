"""A workshop: twenty clusters, a learner at each, who looks, deploys and scales.

Each learner has the topology open, asks for pods every two seconds as `kubectl get` does, and
scales a Deployment every ten. What counts is the processor time of site and worker; how long
people wait depends on what else the machine does.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import uvloop

from benchmarks.idle import processor_seconds, resident
from benchmarks.pages import Page, open_page
from benchmarks.result import Row
from benchmarks.serving import PODS, instance
from benchmarks.workloads import DEPLOYMENTS
from tests.support.kubectl import Kubectl
from tests.support.server import ClusterAccess, Playground
from tests.support.shells import Visitor, operator

LEARNERS, SECONDS = 20, 30.0
LOOK_EVERY, SCALE_EVERY, REPLICAS = 2.0, 10.0, 5
_TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}


def workshop() -> list[Row]:
    """Make the clusters, ask each with kubectl, and look on for half a minute."""
    with instance("--template", "bare") as running, operator(running) as visitor:
        site, worker = running.child("playground.site"), running.child("playground.worker")
        before = resident(worker)
        waits = [_first_answer(running, f"learner-{number}") for number in range(LEARNERS)]
        used, late = uvloop.run(_work(running, visitor, (site, worker)))
        grown = (resident(worker) - before) / LEARNERS
    note = f"worker {used[1]:.0f} %, site {used[0]:.0f} %"
    title = f"{LEARNERS} clusters with a learner"
    return [
        Row("from no cluster to the first answer of kubectl", statistics.median(waits), 2, "s"),
        Row(f"{title}: CPU of site and worker", sum(used), 60, "% of a core", note=note),
        Row(f"{title}: GET of a learner, median", late, 20, "ms"),
        Row(f"{title}: memory of the worker, each", grown, 8, "MB"),
    ]


def _first_answer(running: Playground, name: str) -> float:
    """Make a cluster and ask it with a kubectl that knows nothing of it yet."""
    begun = time.perf_counter()
    access: ClusterAccess = running.make_cluster(name)
    with tempfile.TemporaryDirectory() as home:
        Kubectl("1.36", access.kubeconfig, Path(home))("get", "nodes")
    return time.perf_counter() - begun


async def _work(
    running: Playground, visitor: Visitor, processes: tuple[int, int]
) -> tuple[list[float], float]:
    names = [f"learner-{number}" for number in range(LEARNERS)]
    opened = [await open_page(visitor, Page("topology"), cluster=name) for name in names]
    waits: list[float] = []
    headers = {"Authorization": f"Bearer {running.token}"}
    async with httpx.AsyncClient(headers=headers, verify=running.tls(), timeout=60) as client:
        learning = [
            asyncio.create_task(_learn(client, f"{running.api}/clusters/{name}", waits))
            for name in names
        ]
        await asyncio.sleep(SCALE_EVERY)
        before = [processor_seconds(each) for each in processes]
        waits.clear()
        await asyncio.sleep(SECONDS)
        used = [
            (processor_seconds(each) - was) / SECONDS * 100
            for each, was in zip(processes, before, strict=True)
        ]
        for task in learning:
            task.cancel()
        await asyncio.gather(*learning, return_exceptions=True)
    for task, connection in opened:
        task.cancel()
        await connection.close()
    return used, statistics.median(waits)


async def _learn(client: httpx.AsyncClient, cluster: str, waits: list[float]) -> None:
    await asyncio.sleep(random.random() * SCALE_EVERY)
    container = {"name": "web", "image": "nginx:1.29", "ports": [{"containerPort": 80}]}
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    body = {"metadata": {"name": "web"}, "spec": spec}
    (await client.post(cluster + DEPLOYMENTS, json=body)).raise_for_status()
    replicas = 1
    while True:
        replicas = REPLICAS - replicas + 1
        patch = {"spec": {"replicas": replicas}}
        kind = {"Content-Type": "application/merge-patch+json"}
        changed = await client.patch(f"{cluster}{DEPLOYMENTS}/web", json=patch, headers=kind)
        changed.raise_for_status()
        for _ in range(int(SCALE_EVERY / LOOK_EVERY)):
            begun = time.perf_counter()
            (await client.get(cluster + PODS, headers=_TABLE)).raise_for_status()
            waits.append((time.perf_counter() - begun) * 1e3)
            await asyncio.sleep(LOOK_EVERY)
