"""/stats/summary: the usage of a node as the kubelet's Summary API has it."""

from __future__ import annotations

from apimachinery.meta import Obj
from nodes.kubelet.stats import ContainerUsage, NodeUsage, PodUsage, Usage


def summary(node: NodeUsage) -> Obj:
    """Return the Summary of a node and its pods."""
    booted = node.boot_timestamp
    daemons = {**node.daemons, "pods": node.of_pods}
    return {
        "node": {
            "nodeName": node.name,
            "systemContainers": [
                {"name": name, "startTime": booted, **_cpu_and_memory(usage, node)}
                for name, usage in daemons.items()
            ],
            "startTime": booted,
            **_cpu_and_memory(node.usage, node, available=node.memory),
            "fs": _disk(node, node.usage.written),
            "runtime": {"imageFs": _disk(node, 0)},
            "rlimit": {
                "time": node.timestamp,
                "maxpid": 32768,
                "curproc": node.usage.processes,
            },
        },
        "pods": [_pod(pod, node) for pod in node.pods],
    }


def _pod(pod: PodUsage, node: NodeUsage) -> Obj:
    usage = pod.usage
    return {
        "podRef": pod.reference,
        "startTime": pod.started,
        "containers": [_container(container, node) for container in pod.containers],
        **_cpu_and_memory(usage, node),
        "ephemeral-storage": _disk(node, usage.written),
        "process_stats": {"process_count": usage.processes},
    }


def _container(container: ContainerUsage, node: NodeUsage) -> Obj:
    return {
        "name": container.name,
        "startTime": container.started,
        **_cpu_and_memory(container.usage, node),
        "rootfs": _disk(node, container.usage.written),
        "logs": _disk(node, 0),
    }


def _cpu_and_memory(usage: Usage, node: NodeUsage, available: int = 0) -> Obj:
    memory: Obj = {
        "time": node.timestamp,
        "usageBytes": usage.usage,
        "workingSetBytes": usage.working_set,
        "rssBytes": usage.rss,
        "pageFaults": 0,
        "majorPageFaults": 0,
    }
    if available:
        memory["availableBytes"] = max(available - usage.working_set, 0)
    return {
        "cpu": {
            "time": node.timestamp,
            "usageNanoCores": usage.nano_cores,
            "usageCoreNanoSeconds": usage.core_nano_seconds,
        },
        "memory": memory,
    }


def _disk(node: NodeUsage, used: int) -> Obj:
    return {
        "time": node.timestamp,
        "availableBytes": max(node.disk - used, 0),
        "capacityBytes": node.disk,
        "usedBytes": used,
    }
