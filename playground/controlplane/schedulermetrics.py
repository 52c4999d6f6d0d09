"""What kube-scheduler counts: attempts, their times, its queue and its cache."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.exposition import Family, Histograms, single
from nodes.scheduler.loop import Scheduler
from nodes.scheduler.observing import Observer
from playground.controlplane.sharedmetrics import Metric


def families(scheduler: Scheduler, seen: Observer) -> Iterator[Metric]:
    """Yield the metrics of a scheduler."""
    yield Family(
        "scheduler_pending_pods",
        "gauge",
        "[STABLE] Number of pending pods, by the queue type.",
        [({"queue": name}, depth) for name, depth in sorted(scheduler.queue.depths().items())],
    )
    yield Family(
        "scheduler_scheduler_cache_size",
        "gauge",
        "[ALPHA] Number of nodes, pods, and assumed (bound) pods in the scheduler cache.",
        [({"type": name}, size) for name, size in sorted(scheduler.cache.sizes().items())],
    )
    yield from _attempts(seen)
    yield Family(
        "scheduler_podgroup_schedule_attempts_total",
        "counter",
        "[ALPHA] Number of attempts to schedule pod groups, by the result.",
        [
            ({"profile": profile, "result": result}, count)
            for (profile, result), count in sorted(seen.groups.items())
        ],
    )
    yield from _preemption(seen)


def _attempts(seen: Observer) -> Iterator[Metric]:
    yield Family(
        "scheduler_schedule_attempts_total",
        "counter",
        "[STABLE] Number of attempts to schedule pods, by the result. 'unschedulable' means a pod "
        "could not be scheduled, while 'error' means an internal scheduler problem.",
        [
            ({"profile": profile, "result": result}, count)
            for (profile, result), count in sorted(seen.attempts.items())
        ],
    )
    yield Histograms(
        "scheduler_scheduling_attempt_duration_seconds",
        "[STABLE] Scheduling attempt latency in seconds (scheduling algorithm + binding)",
        [
            ({"profile": profile, "result": result}, found)
            for (profile, result), found in sorted(seen.durations.items())
        ],
    )
    yield Histograms(
        "scheduler_framework_extension_point_duration_seconds",
        "[STABLE] Latency for running all plugins of a specific extension point.",
        [
            (
                {
                    "extension_point": point[0].upper() + point[1:],
                    "profile": profile,
                    "status": status,
                },
                found,
            )
            for (profile, point, status), found in sorted(seen.points.items())
        ],
    )
    yield Histograms(
        "scheduler_scheduling_algorithm_duration_seconds",
        "[BETA] Scheduling algorithm latency in seconds",
        [({}, seen.algorithm)],
    )
    yield Histograms(
        "scheduler_pod_scheduling_attempts",
        "[STABLE] Number of attempts to successfully schedule a pod.",
        [({}, seen.tries)],
    )
    yield Histograms(
        "scheduler_pod_scheduling_sli_duration_seconds",
        "[BETA] E2e latency for a pod being scheduled, from the time the pod enters the scheduling "
        "queue and might involve multiple scheduling attempts.",
        [({"attempts": attempts}, found) for attempts, found in sorted(seen.slis.items())],
    )


def _preemption(seen: Observer) -> Iterator[Metric]:
    yield single(
        "scheduler_preemption_attempts_total",
        "counter",
        "[STABLE] Total preemption attempts in the cluster till now",
        seen.preemptions,
    )
    yield Histograms(
        "scheduler_preemption_victims",
        "[STABLE] Number of selected preemption victims",
        [({}, seen.victims)],
    )
