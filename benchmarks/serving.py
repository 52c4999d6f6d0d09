"""What a client sees: requests in a second, over TLS, against a worker in a process of its own."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvloop

from benchmarks.load import Rate, request_rate, unverified
from benchmarks.result import Row
from tests.support.server import Playground, wait_until

PODS = "/api/v1/namespaces/default/pods"
WATCHERS = 500
# A cluster of a thousand nodes takes its time on a slow machine (seconds).
_PATIENCE = 300.0


def pod(name: str = "", generate: str = "") -> dict[str, Any]:
    """A pod of the size that pods have."""
    metadata: dict[str, Any] = {"labels": {"app": "web", "tier": "front"}}
    metadata |= {"name": name} if name else {"generateName": generate}
    container = {
        "name": "web",
        "image": "nginx:1.29",
        "ports": [{"containerPort": 80}],
        "env": [{"name": "MODE", "value": "production"}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 80}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        # No scheduler answers to this name: what is measured is the API alone.
        "spec": {"containers": [container], "schedulerName": "nobody"},
    }


@contextmanager
def instance(*arguments: str) -> Iterator[Playground]:
    """A playground of its own, on an empty directory."""
    with tempfile.TemporaryDirectory(prefix="kubeground-bench-") as directory:
        running = Playground(Path(directory) / "data", *arguments).start()
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def cluster(running: Playground, name: str, nodes: int) -> Iterator[httpx.Client]:
    """A client of a fresh cluster, made by the worker's control API."""
    make_cluster(running, name, nodes)
    with running.client(base=f"{running.api}/clusters/{name}") as client:
        wait_until(
            lambda: (
                client.get("/api/v1/namespaces/default/serviceaccounts/default").status_code == 200
            )
        )
        yield client
    with running.client() as control:
        path = f"/kubeground/v1/clusters/{name}"
        control.delete(path, timeout=_PATIENCE).raise_for_status()


def make_cluster(running: Playground, name: str, nodes: int) -> None:
    body = {"name": name, "nodes": nodes, "template": "bare"}
    with running.client() as control:
        control.post("/kubeground/v1/clusters", json=body, timeout=_PATIENCE).raise_for_status()


def creation() -> list[Row]:
    """Create clusters, each until its nodes are Ready."""
    took = []
    with instance() as running, running.client() as client:
        for number in range(11):
            begun = time.perf_counter()
            body = {"name": f"c{number}", "nodes": 3, "template": "default"}
            client.post("/kubeground/v1/clusters", json=body).raise_for_status()
            while not _all_ready(client, f"/clusters/c{number}/api/v1/nodes"):
                pass
            took.append((time.perf_counter() - begun) * 1e3)
    # The first one warms what the later ones find.
    return [Row("create a cluster until 3 nodes are Ready", statistics.median(took[1:]), 100, "ms")]


def _all_ready(client: httpx.Client, path: str) -> bool:
    nodes = client.get(path).json()["items"]
    ready = sum(
        condition["status"] == "True"
        for node in nodes
        for condition in node.get("status", {}).get("conditions", ())
        if condition["type"] == "Ready"
    )
    # Three for work, and that of the control plane.
    return ready == len(nodes) == 4


def requests() -> list[Row]:
    """GET, LIST and CREATE pods."""
    rows = []
    with instance() as running:
        with cluster(running, "reads", 0) as client:
            for number in range(500):
                client.post(PODS, json=pod(f"pod-{number}")).raise_for_status()
            url = str(client.base_url).rstrip("/") + PODS
            rows.append(_row("GET a pod", request_rate(f"{url}/pod-7", running.token), 3000))
            found = request_rate(f"{url}?limit=500", running.token, connections=4)
            rows.append(_row("LIST 500 pods", found, 150))
        with cluster(running, "writes", 0) as client:
            url = str(client.base_url).rstrip("/") + PODS
            body = json.dumps(pod(generate="pod-"))
            found = request_rate(url, running.token, connections=32, body=body)
            rows.append(_row("CREATE pods", found, 600))
    return rows


def _row(name: str, rate: Rate, target: float) -> Row:
    note = f"{rate.failed} FAILED" if rate.failed else rate.by
    return Row(name, rate.per_second, target, "/s", more=True, note=note)


def fan_out() -> list[Row]:
    """Change one object while 500 connections watch it."""
    with instance() as running, cluster(running, "watched", 0) as client:
        path = "/api/v1/namespaces/default/configmaps"
        client.post(path, json={"metadata": {"name": "watched"}}).raise_for_status()
        version = client.get(path).json()["metadata"]["resourceVersion"]
        took = uvloop.run(_watch_all(running, client, path, version))
    note = f"worst of 10: {max(took):.0f} ms"
    name = f"one change to {WATCHERS} watchers"
    return [Row(name, statistics.median(took), 60, "ms", note=note)]


class _Watcher(asyncio.Protocol):
    """Reads a watch; `seen` is called at every chunk that holds the awaited text."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.awaited = b""
        self.seen: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if not self.opened.done() and b"200 OK" in data:
            self.opened.set_result(None)
        if self.seen is not None and not self.seen.done() and self.awaited in data:
            self.seen.set_result(None)


async def _watch_all(
    running: Playground, client: httpx.Client, path: str, version: str
) -> list[float]:
    loop = asyncio.get_running_loop()
    base = urlsplit(str(client.base_url))
    context = unverified()
    request = (
        f"GET {base.path.rstrip('/')}{path}?watch=1&resourceVersion={version} HTTP/1.1\r\n"
        f"Host: {base.netloc}\r\nAuthorization: Bearer {running.token}\r\n\r\n"
    ).encode()
    watchers = []
    for _ in range(WATCHERS):
        _, watcher = await loop.create_connection(
            lambda: _Watcher(request), base.hostname, base.port, ssl=context
        )
        watchers.append(watcher)
    await asyncio.gather(*(watcher.opened for watcher in watchers))
    took = []
    for number in range(11):
        for watcher in watchers:
            watcher.awaited = f'"n":"{number}"'.encode()
            watcher.seen = loop.create_future()
        begun = time.perf_counter()
        patching = loop.run_in_executor(None, _change, client, path, number)
        await asyncio.gather(*(watcher.seen for watcher in watchers if watcher.seen))
        took.append((time.perf_counter() - begun) * 1e3)
        await patching
    return took[1:]


def _change(client: httpx.Client, path: str, number: int) -> None:
    client.patch(
        f"{path}/watched",
        content=json.dumps({"data": {"n": str(number)}}),
        headers={"Content-Type": "application/merge-patch+json"},
    ).raise_for_status()
