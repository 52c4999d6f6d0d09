"""The kubelet's metrics in the text format of Prometheus: its own, cAdvisor's, and resources'."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from apimachinery.clock import parse_time
from apimachinery.exposition import Family, Labels, single, text_of
from nodes.kubelet.node import VERSION
from nodes.kubelet.stats import NANO, ContainerUsage, NodeUsage, PodUsage, Usage

# --- /metrics/resource --------------------------------------------------------------------------


def resource_metrics(node: NodeUsage) -> str:
    """Return what metrics-server scrapes: CPU and memory of node, pods and containers."""
    families = [
        _containers(
            node,
            "container_cpu_usage_seconds_total",
            "counter",
            "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
            lambda one: one.usage.core_nano_seconds / NANO,
        ),
        _containers(
            node,
            "container_memory_working_set_bytes",
            "gauge",
            "[STABLE] Current working set of the container in bytes",
            lambda one: one.usage.working_set,
        ),
        _containers(
            node,
            "container_start_time_seconds",
            "gauge",
            "[STABLE] Start time of the container since unix epoch in seconds",
            lambda one: parse_time(one.started).timestamp(),
        ),
        single(
            "node_cpu_usage_seconds_total",
            "counter",
            "[STABLE] Cumulative cpu time consumed by the node in core-seconds",
            node.usage.core_nano_seconds / NANO,
        ),
        single(
            "node_memory_working_set_bytes",
            "gauge",
            "[STABLE] Current working set of the node in bytes",
            node.usage.working_set,
        ),
        _pods(
            node,
            "pod_cpu_usage_seconds_total",
            "counter",
            "[STABLE] Cumulative cpu time consumed by the pod in core-seconds",
            lambda usage: usage.core_nano_seconds / NANO,
        ),
        _pods(
            node,
            "pod_memory_working_set_bytes",
            "gauge",
            "[STABLE] Current working set of the pod in bytes",
            lambda usage: usage.working_set,
        ),
        single(
            "resource_scrape_error",
            "gauge",
            "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise",
            0,
        ),
    ]
    return text_of(families)


def _containers(
    node: NodeUsage, name: str, kind: str, text: str, value: Callable[[ContainerUsage], float]
) -> Family:
    samples = tuple(
        ({"container": container.name, **_pod_labels(pod)}, value(container))
        for pod in node.pods
        for container in pod.containers
    )
    return Family(name, kind, text, samples)


def _pods(
    node: NodeUsage, name: str, kind: str, text: str, value: Callable[[Usage], float]
) -> Family:
    samples = tuple((_pod_labels(pod), value(pod.usage)) for pod in node.pods)
    return Family(name, kind, text, samples)


def _pod_labels(pod: PodUsage) -> dict[str, str]:
    reference = pod.reference
    return {"namespace": reference["namespace"], "pod": reference["name"]}


# --- /metrics/cadvisor --------------------------------------------------------------------------

# Each with its kind, its help, and where its value comes from.
_CADVISOR: tuple[tuple[str, str, str, Callable[[Usage], float]], ...] = (
    (
        "container_cpu_usage_seconds_total",
        "counter",
        "Cumulative cpu time consumed in seconds.",
        lambda usage: usage.core_nano_seconds / NANO,
    ),
    (
        "container_fs_usage_bytes",
        "gauge",
        "Number of bytes that are consumed by the container on this filesystem.",
        lambda usage: usage.written,
    ),
    (
        "container_memory_rss",
        "gauge",
        "Size of RSS in bytes.",
        lambda usage: usage.rss,
    ),
    (
        "container_memory_usage_bytes",
        "gauge",
        "Current memory usage in bytes, including all memory regardless of when it was accessed",
        lambda usage: usage.usage,
    ),
    (
        "container_memory_working_set_bytes",
        "gauge",
        "Current working set in bytes.",
        lambda usage: usage.working_set,
    ),
    (
        "container_processes",
        "gauge",
        "Number of processes running inside the container.",
        lambda usage: usage.processes,
    ),
)


def cadvisor_metrics(node: NodeUsage) -> str:
    """Return usage by control group: the whole node, each pod, each container."""
    groups = list(_groups(node))
    families = [
        Family(name, kind, text, tuple((labels, value(usage)) for labels, usage in groups))
        for name, kind, text, value in _CADVISOR
    ]
    families += [
        single("machine_cpu_cores", "gauge", "Number of logical CPU cores.", node.cores),
        single(
            "machine_memory_bytes",
            "gauge",
            "Amount of memory installed on the machine.",
            node.memory,
        ),
    ]
    return text_of(families)


def _groups(node: NodeUsage) -> Iterable[tuple[Labels, Usage]]:
    yield _group("/", {}), node.usage
    for pod in node.pods:
        where = f"/kubepods/pod{pod.reference['uid']}"
        labels = _pod_labels(pod)
        yield _group(where, labels), pod.usage
        for one in pod.containers:
            more = {"container": one.name, "image": one.image, "name": one.id}
            yield _group(f"{where}/{one.id}", {**labels, **more}), one.usage


def _group(where: str, labels: Labels) -> Labels:
    names = ("container", "image", "name", "namespace", "pod")
    found = {name: labels.get(name, "") for name in names}
    return {"container": found.pop("container"), "id": where, **found}


# --- /metrics -----------------------------------------------------------------------------------


def kubelet_metrics(node: NodeUsage, pods: int, exited: int) -> str:
    """Return what the kubelet tells of itself. `exited` counts containers that have ended."""
    running = sum(len(pod.containers) for pod in node.pods)
    states = (("running", running), ("exited", exited))
    return text_of(
        [
            single(
                "kubelet_node_name",
                "gauge",
                "[ALPHA] The node's name. The count is always 1.",
                1,
                {"node": node.name},
            ),
            Family(
                "kubelet_running_containers",
                "gauge",
                "[BETA] Number of containers currently running",
                tuple(({"container_state": state}, count) for state, count in states if count),
            ),
            single(
                "kubelet_running_pods",
                "gauge",
                "[BETA] Number of pods that have a running pod sandbox",
                len(node.pods),
            ),
            single(
                "kubelet_desired_pods",
                "gauge",
                "[ALPHA] The number of pods the kubelet is being instructed to run.",
                pods,
                {"static": ""},
            ),
            single(
                "kubernetes_build_info",
                "gauge",
                "[ALPHA] A metric with a constant '1' value labeled by version.",
                1,
                {"git_version": VERSION, "major": "1", "minor": VERSION.split(".")[1]},
            ),
            single(
                "process_cpu_seconds_total",
                "counter",
                "Total user and system CPU time spent in seconds.",
                node.daemons["kubelet"].core_nano_seconds / NANO,
            ),
            single(
                "process_resident_memory_bytes",
                "gauge",
                "Resident memory size in bytes.",
                node.daemons["kubelet"].rss,
            ),
            single(
                "process_start_time_seconds",
                "gauge",
                "Start time of the process since unix epoch in seconds.",
                node.booted,
            ),
        ]
    )
