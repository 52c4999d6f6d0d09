"""What the kubelet's own port answers to who may ask: health, pods, statistics, configuration.

The simulation has no port 10250. The API server's proxy of nodes asks here, after it has
authorized the request; what runs in containers cannot ask at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import orjson

from apimachinery.exposition import MEDIA_TYPE as METRICS
from apimachinery.meta import Obj
from nodes.kubelet import exposition
from nodes.kubelet.container_config import CLUSTER_DNS, CLUSTER_DOMAIN
from nodes.kubelet.kubelet import Kubelet
from nodes.kubelet.node import Machine
from nodes.kubelet.stats import NodeStats
from nodes.kubelet.summary import summary

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


class Page(NamedTuple):
    """An answer over HTTP."""

    code: int
    content_type: str
    body: bytes


class KubeletPages:
    """The pages of one kubelet."""

    def __init__(self, kubelet: Kubelet) -> None:
        self._kubelet = kubelet
        self.stats = NodeStats(kubelet)
        self._pages: dict[str, Callable[[], Awaitable[Page]]] = {
            "/healthz": self._ok,
            "/healthz/ping": self._ok,
            "/healthz/log": self._ok,
            "/healthz/syncloop": self._ok,
            "/livez": self._ok,
            "/pods": self._pods,
            "/runningpods": self._running_pods,
            "/configz": self._configz,
            "/stats/summary": self._summary,
            "/metrics": self._metrics,
            "/metrics/cadvisor": self._cadvisor,
            "/metrics/resource": self._resource,
        }

    async def get(self, path: str) -> Page:
        """Return the page of a path."""
        found = self._pages.get(path.rstrip("/"))
        if found is None:
            return Page(404, TEXT, b"404 page not found\n")
        return await found()

    async def _ok(self) -> Page:
        return Page(200, TEXT, b"ok")

    async def _pods(self) -> Page:
        return _pod_list([worker.pod for worker in self._kubelet.pods.values()])

    async def _running_pods(self) -> Page:
        node = await self.stats.read()
        pods = [
            {
                "metadata": pod.reference,
                "spec": {
                    "containers": [
                        {"name": one.name, "image": one.image, "resources": {}}
                        for one in pod.containers
                    ]
                },
                "status": {},
            }
            for pod in node.pods
        ]
        return _pod_list(pods)

    async def _configz(self) -> Page:
        return _json({"kubeletconfig": configuration(self._kubelet.machine)})

    async def _summary(self) -> Page:
        return _json(summary(await self.stats.read()))

    async def _metrics(self) -> Page:
        workers = self._kubelet.pods.values()
        records = [record for worker in workers for record in worker.containers.records]
        exited = sum(record.exited for record in records)
        node = await self.stats.read()
        return _metrics(exposition.kubelet_metrics(node, len(self._kubelet.pods), exited))

    async def _cadvisor(self) -> Page:
        return _metrics(exposition.cadvisor_metrics(await self.stats.read()))

    async def _resource(self) -> Page:
        return _metrics(exposition.resource_metrics(await self.stats.read()))


def configuration(machine: Machine) -> Obj:
    """Return the part of KubeletConfiguration that a simulated node keeps to."""
    return {
        "clusterDomain": CLUSTER_DOMAIN,
        "clusterDNS": [CLUSTER_DNS],
        "nodeLeaseDurationSeconds": 40,
        "maxPods": machine.pods,
        "podPidsLimit": -1,
        "resolvConf": "/etc/resolv.conf",
        "cgroupsPerQOS": True,
        "cgroupDriver": "systemd",
        "cpuManagerPolicy": "none",
        "memoryManagerPolicy": "None",
        "topologyManagerPolicy": "none",
        "failSwapOn": True,
        "enableDebuggingHandlers": True,
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
    }


def _pod_list(pods: list[Obj]) -> Page:
    bare = [{k: v for k, v in pod.items() if k not in ("kind", "apiVersion")} for pod in pods]
    return _json({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": bare})


def _json(value: Obj) -> Page:
    return Page(200, JSON, orjson.dumps(value))


def _metrics(text: str) -> Page:
    return Page(200, METRICS, text.encode())
