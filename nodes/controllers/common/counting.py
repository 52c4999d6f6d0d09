"""What controllers count, under the names of kube-controller-manager's own metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from apimachinery.exposition import Histogram


class Counted(NamedTuple):
    """What a counter is about, and the names of its labels."""

    help: str
    labels: tuple[str, ...] = ()


COUNTED: Mapping[str, Counted] = {
    "device_taint_eviction_controller_pod_deletions_total": Counted(
        "[ALPHA] Total number of Pods deleted by DeviceTaintEvictionController since its start."
    ),
    "endpoint_slice_controller_changes": Counted(
        "[BETA] Number of EndpointSlice changes", ("operation",)
    ),
    "horizontal_pod_autoscaler_controller_reconciliations_total": Counted(
        "[ALPHA] Number of reconciliations of HPA controller. The label 'action' should be either "
        "'scale_down', 'scale_up', or 'none'. Also, the label 'error' should be either 'spec', "
        "'internal', or 'none'. Note that if both spec and internal errors happen during a "
        "reconciliation, the first one to occur is reported in `error` label.",
        ("action", "error"),
    ),
    "job_controller_job_pods_finished_total": Counted(
        "[STABLE] The number of finished Pods that are fully tracked", ("completion_mode", "result")
    ),
    "job_controller_jobs_finished_total": Counted(
        "[STABLE] The number of finished jobs", ("completion_mode", "result", "reason")
    ),
    "node_collector_evictions_total": Counted(
        "[STABLE] Number of Node evictions that happened since current instance of NodeController "
        "started.",
        ("zone",),
    ),
    "pod_gc_collector_force_delete_pods_total": Counted(
        "[ALPHA] Number of pods that are being forcefully deleted since the Pod GC Controller "
        "started.",
        ("namespace", "reason"),
    ),
    "taint_eviction_controller_pod_deletions_total": Counted(
        "[ALPHA] Total number of Pods deleted by TaintEvictionController since its start."
    ),
}


class Measured(NamedTuple):
    """What a histogram is about, and the bounds of its buckets."""

    help: str
    bounds: Sequence[float]


MEASURED: Mapping[str, Measured] = {
    "cronjob_controller_job_creation_skew_duration_seconds": Measured(
        "[STABLE] Time between when a cronjob is scheduled to be run, and when the corresponding "
        "job is created",
        tuple(2.0**power for power in range(10)),
    ),
}


class Counts:
    """How often what happened, by the name of the metric and the values of its labels.

    measured: how long what took, by the name of the metric.
    """

    __slots__ = ("measured", "values")

    def __init__(self) -> None:
        self.values: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.measured: dict[str, Histogram] = {}

    def add(self, name: str, *labels: str, times: int = 1) -> None:
        self.values[name, labels] += times

    def measure(self, name: str, value: float) -> None:
        if name not in self.measured:
            self.measured[name] = Histogram(MEASURED[name].bounds)
        self.measured[name].add(value)
