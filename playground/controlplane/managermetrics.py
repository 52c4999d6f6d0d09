"""What kube-controller-manager counts: its work queues, its controllers, the zones of nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from apimachinery.exposition import Family, Histograms, Labels
from nodes.client.metering import QueueMeter
from nodes.controllers.common.counting import COUNTED, MEASURED
from nodes.controllers.manager import Manager
from nodes.controllers.nodelifecycle.controller import NodeLifecycleController
from playground.controlplane.sharedmetrics import Metric


def families(manager: Manager) -> Iterator[Metric]:
    """Yield the metrics of a manager."""
    yield from _queues(manager)
    yield Family(
        "running_managed_controllers",
        "gauge",
        "[BETA] Indicates where instances of a controller are currently running",
        [({"manager": "kube-controller-manager", "name": name}, 1) for name in manager.own],
    )
    yield from counted(manager)
    lifecycle = manager.controllers.get("node-lifecycle-controller")
    if isinstance(lifecycle, NodeLifecycleController):
        yield from _zones(lifecycle)


def counted(manager: Manager) -> Iterator[Metric]:
    """Yield what controllers have counted of their work."""
    found = sorted(manager.counts.values.items()) if manager.counts is not None else []
    for name, about in COUNTED.items():
        samples = [
            (dict(zip(about.labels, values, strict=True)), count)
            for (metric, values), count in found
            if metric == name
        ]
        yield Family(name, "counter", about.help, samples)
    measured = manager.counts.measured if manager.counts is not None else {}
    for name, histogram in sorted(measured.items()):
        yield Histograms(name, MEASURED[name].help, [({}, histogram)])


def _queues(manager: Manager) -> Iterator[Metric]:
    queues = sorted(manager.meters(), key=lambda one: one[0])

    def each(read: Callable[[int, QueueMeter], float]) -> list[tuple[Labels, float]]:
        return [({"name": name}, read(depth, meter)) for name, depth, meter in queues]

    yield Family(
        "workqueue_adds_total",
        "counter",
        "[BETA] Total number of adds handled by workqueue",
        each(lambda _, meter: meter.adds),
    )
    yield Family(
        "workqueue_depth",
        "gauge",
        "[BETA] Current depth of workqueue",
        each(lambda depth, _: depth),
    )
    yield Family(
        "workqueue_retries_total",
        "counter",
        "[BETA] Total number of retries handled by workqueue",
        each(lambda _, meter: meter.retries),
    )
    yield Family(
        "workqueue_unfinished_work_seconds",
        "gauge",
        "[BETA] How many seconds of work has done that is in progress and hasn't been observed by "
        "work_duration. Large values indicate stuck threads. One can deduce the number of stuck "
        "threads by observing the rate at which this increases.",
        each(lambda _, meter: meter.unfinished()[0]),
    )
    yield Family(
        "workqueue_longest_running_processor_seconds",
        "gauge",
        "[BETA] How many seconds has the longest running processor for workqueue been running.",
        each(lambda _, meter: meter.unfinished()[1]),
    )
    yield Histograms(
        "workqueue_queue_duration_seconds",
        "[BETA] How long in seconds an item stays in workqueue before being requested.",
        [({"name": name}, meter.waited) for name, _, meter in queues],
    )
    yield Histograms(
        "workqueue_work_duration_seconds",
        "[BETA] How long in seconds processing an item from workqueue takes.",
        [({"name": name}, meter.worked) for name, _, meter in queues],
    )


def _zones(lifecycle: NodeLifecycleController) -> Iterator[Metric]:
    zones = sorted(lifecycle.zones.counts().items())
    yield Family(
        "node_collector_zone_size",
        "gauge",
        "[ALPHA] Gauge measuring number of registered Nodes per zones.",
        [({"zone": zone}, ready + ill) for zone, (ready, ill) in zones],
    )
    yield Family(
        "node_collector_unhealthy_nodes_in_zone",
        "gauge",
        "[ALPHA] Gauge measuring number of not Ready Nodes per zones.",
        [({"zone": zone}, ill) for zone, (_, ill) in zones],
    )
    yield Family(
        "node_collector_zone_health",
        "gauge",
        "[ALPHA] Gauge measuring percentage of healthy nodes per zone.",
        [({"zone": zone}, 100 * ready / (ready + ill)) for zone, (ready, ill) in zones],
    )
